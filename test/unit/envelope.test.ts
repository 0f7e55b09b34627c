import { expect, test } from '@jest/globals';

import { withoutObjects } from '../../src/server/envelope.ts';

test.each<{ readonly title: string; readonly body: string; readonly expected: string }>([
  {
    title: 'both objects go, and the rest stays as it is',
    body: '{"request": {"uid": "1", "object": {"a": [1, {"b": 2}]}, "oldObject": [], "dryRun": true}}',
    expected: '{"request": {"uid": "1", "object":null, "oldObject":null, "dryRun": true}}',
  },
  {
    title: 'an object that is a text goes, whatever stands in it',
    body: '{"request":{"object":"}, \\"object\\": {","name":"mnist"}}',
    expected: '{"request":{"object":null,"name":"mnist"}}',
  },
  {
    title: 'a key of that name further down stays, and one that is only a value',
    body: '{"request":{"options":{"object":1},"name":"object"}}',
    expected: '{"request":{"options":{"object":1},"name":"object"}}',
  },
  {
    title: 'a key that is spelt with an escape stays',
    body: '{"request":{"\\u006fbject":[1]}}',
    expected: '{"request":{"\\u006fbject":[1]}}',
  },
  { title: 'an object that does not end goes', body: '{"request":{"object":[[', expected: '{"request":{"object":null' },
  { title: 'what is no map stays', body: '[[{"object":1}]]', expected: '[[{"object":1}]]' },
])('$title', ({ body, expected }) => {
  expect(Buffer.from(withoutObjects(Buffer.from(body))).toString()).toBe(expected);
});
