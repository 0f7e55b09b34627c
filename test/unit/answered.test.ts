import { describe, expect, test } from '@jest/globals';

import { answeredJudgement } from '../../src/commands/check/answered.ts';
import { verdictText } from '../../src/commands/check/verdict-text.ts';
import { policyOfKnownKinds } from '../../src/commands/live/live-job.ts';
import type { AdmissionRequest } from '../../src/core/admission.ts';
import type { JsonMap } from '../../src/core/json.ts';
import type { ServedDenial } from '../../src/kube/served-denial.ts';
import { refusalOf } from '../support/denial-wording.ts';

const job = (team: string, replicas: number, runPolicy: JsonMap = {}): JsonMap => ({
  metadata: { name: 'mnist', labels: { team } },
  spec: { runPolicy, tfReplicaSpecs: { Worker: { replicas } } },
});

const request = (object: JsonMap): AdmissionRequest => ({
  uid: '',
  operation: 'UPDATE',
  resource: { group: 'kubeflow.org', version: 'v1', resource: 'tfjobs' },
  subResource: '',
  namespace: 'team',
  name: 'mnist',
  user: { username: '', groups: [] },
  dryRun: true,
  fieldManager: '',
  oldObject: job('a', 1),
  object,
});

const denial: ServedDenial = {
  mode: 'enforce',
  message: 'it may not be updated',
  fields: ['spec.tfReplicaSpecs[Worker].replicas'],
  count: 1,
  advice: 'Only labels may change.',
};

const shown = (object: JsonMap, served: ServedDenial | undefined): string =>
  verdictText(answeredJudgement(policyOfKnownKinds(), request(object), { denial: served }), false);

const REFUSED = `Denied: ${refusalOf('tfjobs.kubeflow.org "mnist" in namespace "team"')}\n`;

describe('what a cluster has answered', () => {
  test('allows whatever has changed, whatever the policy here says', () => {
    expect(shown(job('b', 2), undefined)).toBe(`Allowed: tfjobs.kubeflow.org "mnist" in namespace "team" may be updated

  permitted  metadata.labels[team] (changed)
  permitted  spec.tfReplicaSpecs[Worker].replicas (1 → 2)
`);
  });

  test.each<[string, Partial<ServedDenial>, string]>([
    [
      'all that is refused',
      {},
      '  permitted  metadata.labels[team] (changed)\n  refused    spec.tfReplicaSpecs[Worker].replicas (1 → 2)\n',
    ],
    ['some of what is refused', { count: 2 }, '  refused    spec.tfReplicaSpecs[Worker].replicas (1 → 2)\n'],
    [
      'a field above what has changed',
      { fields: ['spec.tfReplicaSpecs[Worker]'] },
      '  permitted  metadata.labels[team] (changed)\n  refused    spec.tfReplicaSpecs[Worker] (changed)\n',
    ],
  ])('may name %s', (_what, served, lines) => {
    expect(shown(job('b', 2), { ...denial, ...served })).toBe(`${REFUSED}\n${lines}\nOnly labels may change.\n`);
  });

  test('may name a field that changes elsewhere', () => {
    const judged = answeredJudgement(policyOfKnownKinds(), request(job('a', 1)), { denial });
    expect(judged.verdict.decision).toMatchObject({ outcome: 'deny', changes: [], deniedCount: 1 });
  });

  test('may warn', () => {
    expect(shown(job('a', 2), { ...denial, mode: 'warn', advice: '' })).toBe(`${REFUSED}
  refused    spec.tfReplicaSpecs[Worker].replicas (1 → 2)

Mode "warn" applies here: the webhook allows this update, with warnings.
`);
  });

  test('may add and remove', () => {
    const served = { ...denial, fields: ['spec.runPolicy.backoffLimit'] };
    expect(shown(job('a', 1, { backoffLimit: 3 }), served)).toContain(
      'refused    spec.runPolicy.backoffLimit (unset → 3)',
    );
  });
});
