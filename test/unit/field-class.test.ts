import { expect, test } from '@jest/globals';

import { parsePointer } from '../../src/core/path.ts';
import { FIELD_CLASSES, fieldClass } from '../../src/core/field-class.ts';

const POD = '/spec/tfReplicaSpecs/Worker/template/spec';

test.each([
  { path: '/spec/tfReplicaSpecs/Worker/replicas', is: 'replicas' },
  { path: '/spec/pytorchReplicaSpecs/Worker', is: 'other' },
  { path: '/spec/tfReplicaSpecs/Worker/restartPolicy', is: 'restart_policy' },
  { path: '/spec/runPolicy/backoffLimit', is: 'run_policy' },
  { path: '/spec/runPolicy/schedulingPolicy/queue', is: 'run_policy' },
  { path: '/spec/elasticPolicy/maxReplicas', is: 'replicas' },
  { path: '/metadata/finalizers', is: 'metadata' },
  { path: '/spec/tfReplicaSpecs/Worker/template/metadata/labels/role', is: 'metadata' },
  { path: `${POD}/containers`, is: 'containers' },
  { path: `${POD}/containers/1`, is: 'containers' },
  { path: `${POD}/initContainers/0/name`, is: 'containers' },
  { path: `${POD}/containers/0/image`, is: 'image' },
  { path: `${POD}/containers/0/args/0`, is: 'command' },
  { path: `${POD}/containers/0/env/3/value`, is: 'env' },
  { path: `${POD}/containers/0/resources/limits/nvidia.com~1gpu`, is: 'resources' },
  { path: `${POD}/containers/0/volumeMounts/0/mountPath`, is: 'volumes' },
  { path: `${POD}/volumes/0/configMap/name`, is: 'volumes' },
  { path: `${POD}/nodeSelector/image`, is: 'scheduling' },
  { path: `${POD}/securityContext/runAsUser`, is: 'security' },
  { path: `${POD}/hostNetwork`, is: 'other' },
  { path: '/spec', is: 'other' },
  { path: '/status/conditions', is: 'other' },
  { path: '/constructor', is: 'other' },
])('a change of $path counts as $is', ({ path, is }) => {
  expect(fieldClass(parsePointer(path) ?? [])).toBe(is);
  expect(FIELD_CLASSES).toContain(is);
});
