import { expect, test } from '@jest/globals';

import { parseJson, type JsonMap } from '../../src/core/json.ts';
import { createMergePatch } from '../../src/kube/create-merge-patch.ts';
import { applyMergePatch } from '../../src/kube/merge-patch.ts';

const map = (text: string): JsonMap => parseJson(text) as JsonMap;

test.each([
  ['nothing', '{"a": {"b": [1, {"c": 2}]}}', '{"a": {"b": [1, {"c": 2}]}}', '{}'],
  ['a field', '{"a": {"b": 1, "c": 2}}', '{"a": {"b": 3, "c": 2}}', '{"a": {"b": 3}}'],
  ['a field less', '{"a": {"b": 1, "c": 2}}', '{"a": {"b": 1}}', '{"a": {"c": null}}'],
  ['a map more', '{}', '{"a": {"b": 1}}', '{"a": {"b": 1}}'],
  ['a list, as a whole', '{"a": [1, 2]}', '{"a": [2]}', '{"a": [2]}'],
  ['a map in place of a list', '{"a": [1]}', '{"a": {"b": 1}}', '{"a": {"b": 1}}'],
  ['the last digit', '{"a": 9007199254740992}', '{"a": 9007199254740993}', '{"a": 9007199254740993}'],
  ['a key of every object', '{"constructor": {"a": 1}}', '{"constructor": {"a": 2}}', '{"constructor": {"a": 2}}'],
])('a merge patch changes %s', (_what, before, after, patch) => {
  expect(createMergePatch(map(before), map(after))).toEqual(map(patch));
  expect(applyMergePatch(map(before), map(patch))).toEqual(map(after));
});
