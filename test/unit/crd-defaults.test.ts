import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseJson, isMap, type JsonMap } from '../../src/core/json.ts';
import { withDefaults } from '../../src/kube/defaults.ts';
import { crdDefaults } from '../../tools/crd-defaults/generate.ts';

function map(text: string): JsonMap {
  const value = parseJson(text);
  return isMap(value) ? value : {};
}

/** A TFJob with one container, or whatever else its template's spec has. */
const jobWith = (spec: string): string => `{"spec": {"tfReplicaSpecs": {"Worker": {"template": {"spec": ${spec}}}}}}`;

describe('the API server sets what a CRD has a default for', () => {
  test.each([
    {
      what: 'a port without a protocol',
      object: jobWith('{"containers": [{"ports": [{"containerPort": 1}, {"protocol": "UDP"}, {"protocol": null}]}]}'),
      filled: jobWith(
        '{"containers": [{"ports": [{"containerPort": 1, "protocol": "TCP"}, {"protocol": "UDP"}, {"protocol": "TCP"}]}]}',
      ),
    },
    {
      what: 'a volume of a kind that has one',
      object: jobWith('{"volumes": [{"azureDisk": {}}, {"emptyDir": {}}]}'),
      filled: jobWith('{"volumes": [{"azureDisk": {"fsType": "ext4", "readOnly": false}}, {"emptyDir": {}}]}'),
    },
    {
      what: 'a run policy',
      object: '{"spec": {"runPolicy": {}}}',
      filled: '{"spec": {"runPolicy": {"suspend": false}}}',
    },
    { what: 'nothing where nothing holds it', object: '{"spec": {"tfReplicaSpecs": 1}}', filled: undefined },
    { what: 'nothing where a map is a text', object: jobWith('{"containers": {"ports": "a"}}'), filled: undefined },
  ])('$what', ({ object, filled = object }) => {
    expect(withDefaults(map(object), 'kubeflow.org')).toEqual(map(filled));
  });

  test.each([
    {
      what: 'a TrainJob and its runtime',
      group: 'trainer.kubeflow.org',
      object: '{"spec": {"runtimeRef": {"name": "torch"}}}',
      filled: `{"spec": {
        "runtimeRef": {"name": "torch", "apiGroup": "trainer.kubeflow.org", "kind": "ClusterTrainingRuntime"},
        "managedBy": "trainer.kubeflow.org/trainjob-controller", "suspend": false}}`,
    },
    {
      what: "a JobSet's jobs",
      group: 'jobset.x-k8s.io',
      object: '{"spec": {"replicatedJobs": [{"name": "workers"}]}}',
      filled: '{"spec": {"replicatedJobs": [{"name": "workers", "groupName": "default", "replicas": 1}]}}',
    },
  ])('$what', ({ group, object, filled }) => {
    expect(withDefaults(map(object), group)).toEqual(map(filled));
  });

  test('of a group that is not known nothing is set', () => {
    const object = map('{"spec": {"runPolicy": {}}}');
    expect(withDefaults(object, 'example.com')).toBe(object);
  });
});

test('the table is what the generator writes from the projects’ CRDs', async () => {
  expect(await readFile(join(import.meta.dirname, '../../src/kube/crd-defaults.ts'), 'utf8')).toBe(await crdDefaults());
});
