import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { isMap, parseJson } from '../../src/core/json.ts';
import { mergePatched, withValue } from '../support/job.ts';
import { judge, policyWith, verdictOn, type Review } from '../support/review.ts';

describe('the jobs of the documentation, byte for byte', () => {
  const fixture = (name: string): string =>
    readFileSync(new URL(`../../examples/jobs/${name}`, import.meta.url), 'utf8');

  test.each([
    ['tfjobs', 'tfjob'],
    ['pytorchjobs', 'pytorchjob'],
  ])('%s: the patch of its labels is allowed', (resource, file) => {
    const oldObject = fixture(`${file}.json`);
    const patch = parseJson(fixture(`${file}-patch.json`));
    const patched = mergePatched(parseJson(oldObject), patch);
    expect(verdictOn({ resource, oldObject, object: patched })).toEqual(['allow']);

    const other = mergePatched(patched, { metadata: { labels: { app: 'other' } } });
    const { decision } = judge({ resource, oldObject, object: other });
    expect(decision).toEqual({
      outcome: 'allow',
      changes: [
        {
          op: 'replace',
          path: ['metadata', 'labels', 'app'],
          oldValue: 'test',
          newValue: 'other',
          permitted: true,
          exemption: undefined,
        },
      ],
    });
  });

  test.each([
    ['tfjobs', 'tfjob'],
    ['pytorchjobs', 'pytorchjob'],
  ])('%s: the replacement is allowed, with what the server owns sent back', (resource, file) => {
    const stored = mergePatched(parseJson(fixture(`${file}.json`)), { status: null });
    expect(verdictOn({ resource, oldObject: stored, object: fixture(`${file}-replacement.json`) })).toEqual(['allow']);
  });

  test.each([
    ['tfjobs', 'tfjob', '/spec/tfReplicaSpecs/Worker/replicas'],
    ['pytorchjobs', 'pytorchjob', '/spec/pytorchReplicaSpecs/Worker/replicas'],
  ])('%s: more workers are denied', (resource, file, place) => {
    const oldObject = parseJson(fixture(`${file}.json`));
    const object = isMap(oldObject) ? withValue(oldObject, place, 2) : null;
    expect(verdictOn({ resource, oldObject, object })).toEqual(['deny', `replace ${place}`]);
  });
});

describe('a policy of one’s own', () => {
  const policy = policyWith({
    allow: ['/metadata/labels', '/spec/roles/*/template/spec/containers/*/image', '/spec/list/1'],
    resources: [
      {
        group: 'example.com',
        resource: 'trainings',
        podTemplates: ['/spec/roles/*/template'],
        scaleReplicasPath: '/spec/roles/main/replicas',
        allow: ['/spec/pause'],
      },
      { group: 'kubeflow.org', resource: 'mpijobs' },
    ],
  });
  const training = (spec: string): string => `{"metadata": {}, "spec": ${spec}}`;
  const container = (fields: string): string =>
    training(`{"roles": {"main": {"replicas": 1, "template": {"spec": {"containers": [${fields}]}}}}}`);
  const review: Review = { group: 'example.com', resource: 'trainings' };
  const place = '/spec/roles/main/template/spec/containers/0';

  test.each<[string, string, string, string[]]>([
    ['a resource’s own path is allowed', training('{}'), training('{"pause": true}'), ['allow']],
    ['a star stands for a key and for an index', container('{"image": "a"}'), container('{"image": "b"}'), ['allow']],
    [
      'what stands beside it is denied',
      container('{"image": "a"}'),
      container('{"image": "a", "command": ["b"]}'),
      ['deny', `add ${place}/command`],
    ],
    [
      'a container that is added is one change, whatever may change in it',
      container('{}'),
      container('{}, {"image": "a", "name": "b"}'),
      ['deny', 'add /spec/roles/main/template/spec/containers/1'],
    ],
    ['an item may be allowed by its index', training('{"list": [1, 2]}'), training('{"list": [1, 3]}'), ['allow']],
    ['and another not', training('{"list": [1, 2]}'), training('{"list": [2, 3]}'), ['deny', 'replace /spec/list/0']],
    ['a field of a pod template that is zero is absent', container('{"tty": false}'), container('{}'), ['allow']],
    ['a field elsewhere that is zero is not', training('{"tty": false}'), training('{}'), ['deny', 'remove /spec/tty']],
    [
      'the default paths are no longer allowed',
      training('{}'),
      training('{"cleanPodPolicy": "All"}'),
      ['deny', 'add /spec/cleanPodPolicy'],
    ],
  ])('%s', (_title, oldObject, object, verdict) => {
    expect(verdictOn({ ...review, oldObject, object }, policy)).toEqual(verdict);
  });

  test('a resource’s own path is not allowed in another', () => {
    const update = { resource: 'mpijobs', oldObject: training('{}'), object: training('{"pause": true}') };
    expect(verdictOn(update, policy)).toEqual(['deny', 'add /spec/pause']);
  });

  test('the default resources are no longer guarded', () => {
    expect(verdictOn({ oldObject: '{}', object: '{"a": 1}' }, policy)).toEqual(['out_of_scope']);
  });

  test('a kind of Kubeflow is known throughout, without a line of code', () => {
    const update = {
      resource: 'mpijobs',
      oldObject: training('{}'),
      object: training('{"runPolicy": {"suspend": false}}'),
    };
    expect(verdictOn(update, policy)).toEqual(['allow']);
  });

  test('its replicas are judged by its own path', () => {
    const scaled = { ...review, subResource: 'scale', oldObject: training('{"replicas": 1}'), object: training('{}') };
    expect(verdictOn(scaled, policy)).toEqual(['deny', 'replace /spec/roles/main/replicas']);
  });
});
