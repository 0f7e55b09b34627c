import { describe, expect, test } from '@jest/globals';
import { readTree } from '../support/json-tree.ts';
import { type Judgement, naiveJudge, type NaivePolicy } from './naive-judge.ts';
import { ALL_PRESETS_POLICY, DEFAULT_POLICY, OWN_POLICY } from './policies.ts';

const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';
const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';

interface Update {
  readonly policy?: NaivePolicy;
  readonly resource?: string;
  readonly subResource?: string;
  readonly operation?: string;
  readonly username?: string;
}

/** Judges an update given as JSON text, and writes the verdict as one line: `deny: add /spec/a, replace /spec/b`. */
function judge(before: string, after: string, update: Update = {}): string {
  const { policy = DEFAULT_POLICY.naive, resource = 'tfjobs', subResource = '', operation = 'UPDATE' } = update;
  const request = `{
    "operation": "${operation}",
    "resource": { "group": "kubeflow.org", "version": "v1", "resource": "${resource}" },
    "subResource": "${subResource}",
    "namespace": "default",
    "userInfo": { "username": "${update.username ?? 'jane'}", "groups": ["platform:admins"] },
    "oldObject": ${before},
    "object": ${after}
  }`;
  return inOneLine(naiveJudge(policy, readTree(`{ "request": ${request} }`)));
}

function inOneLine({ outcome, denied }: Judgement): string {
  if (denied.length === 0) return outcome;
  return `${outcome}: ${denied.map(({ op, pointer }) => `${op} ${pointer}`).join(', ')}`;
}

const spec = (fields: string): string => `{ "spec": ${fields} }`;
const container = (fields: string): string =>
  spec(`{ "tfReplicaSpecs": { "PS": { "template": { "spec": { "containers": [${fields}] } } } } }`);
const CONTAINER = '/spec/tfReplicaSpecs/PS/template/spec/containers/0';

describe('scope', () => {
  const change = [spec('{}'), spec('{ "a": 1 }')] as const;
  test.each<[string, Update, string]>([
    ['an update is judged', {}, 'deny: add /spec/a'],
    ['a creation is not', { operation: 'CREATE' }, 'out_of_scope'],
    ['the status is not', { subResource: 'status' }, 'out_of_scope'],
    ['another resource is not', { resource: 'pods' }, 'out_of_scope'],
    ['another subresource cannot be', { subResource: 'exec' }, 'unjudgeable'],
    ['the scale of a kind without a place for it cannot be', { subResource: 'scale' }, 'unjudgeable'],
  ])('%s', (_title, update, verdict) => {
    expect(judge(...change, update)).toBe(verdict);
  });

  test.each([
    ['null', '{}'],
    ['{}', 'null'],
    ['[]', '{}'],
  ])('an update of %s to %s cannot be judged', (before, after) => {
    expect(judge(before, after)).toBe('unjudgeable');
  });
});

describe('what may change', () => {
  test.each([
    ['a label', '{ "metadata": {} }', '{ "metadata": { "labels": { "a": "b" } } }'],
    ['an annotation with a hostile key', '{}', '{ "metadata": { "annotations": { "__proto__": "b" } } }'],
    ['a field of the first generation', spec('{ "cleanPodPolicy": "All" }'), spec('{}')],
    ['a field of the run policy', spec('{}'), spec('{ "runPolicy": { "cleanPodPolicy": "All" } }')],
    ['what the server owns', '{ "metadata": { "generation": 1 } }', '{ "metadata": { "managedFields": [{}] } }'],
  ])('%s', (_title, before, after) => {
    expect(judge(before, after)).toBe('allow');
    expect(judge(after, before)).toBe('allow');
  });
});

describe('what is no change', () => {
  test.each([
    ['null, unknown field', spec('{ "a": null }'), spec('{}')],
    ['an empty list, unknown field', spec('{ "a": [] }'), spec('{}')],
    ['false at a field', container('{ "tty": false }'), container('{}')],
    ['an empty string at a field', container('{ "env": [{ "name": "" }] }'), container('{ "env": [{}] }')],
    ['zero, however written', container('{ "ports": [{ "hostPort": -0e5 }] }'), container('{ "ports": [{}] }')],
    ['an empty struct', container('{ "resources": { "limits": null } }'), container('{}')],
    ['suspend that the CRD sets', spec('{ "runPolicy": { "suspend": false } }'), spec('{}')],
    [
      'a quantity written otherwise',
      container('{ "resources": { "limits": { "cpu": "1000m", "memory": "1Gi", "gpu": 1e3 } } }'),
      container('{ "resources": { "limits": { "cpu": 1.0, "memory": "1024Mi", "gpu": "+1.k" } } }'),
    ],
    ['a quantity that is too long to write', quantity('"1e100000001"'), quantity('"10e100000000"')],
    ['a number written otherwise', spec('{ "a": [1, 0, 100] }'), spec('{ "a": [1.0, -0.0e1, 1e2] }')],
    ['the order of keys', spec('{ "a": 1, "b": 2 }'), spec('{ "b": 2, "a": 1 }')],
  ])('%s', (_title, before, after) => {
    expect(judge(before, after)).toBe('allow');
    expect(judge(after, before)).toBe('allow');
  });
});

function quantity(value: string): string {
  return container(`{ "resources": { "limits": { "cpu": ${value} } } }`);
}

describe('what is a change', () => {
  test.each([
    ['null in a list', container('null'), container('{}'), `replace ${CONTAINER}`],
    ['an empty list in a list', spec('{ "a": [] }'), spec('{ "a": [[]] }'), 'add /spec/a'],
    ['false at an unknown field', spec('{ "a": false }'), spec('{}'), 'remove /spec/a'],
    ['a pointer', container('{}'), container('{ "securityContext": {} }'), `add ${CONTAINER}/securityContext`],
    [
      'false at a pointer',
      container('{ "securityContext": {} }'),
      container('{ "securityContext": { "privileged": false } }'),
      `add ${CONTAINER}/securityContext/privileged`,
    ],
    [
      'an empty list at a pointer',
      spec('{}'),
      spec('{ "runPolicy": { "suspend": [] } }'),
      'add /spec/runPolicy/suspend',
    ],
    [
      'an empty list at a string',
      container('{ "name": "a", "image": [] }'),
      container('{ "name": "a" }'),
      `remove ${CONTAINER}/image`,
    ],
    [
      'a replica type that is null',
      spec('{ "tfReplicaSpecs": {} }'),
      spec('{ "tfReplicaSpecs": { "PS": null } }'),
      'add /spec/tfReplicaSpecs/PS',
    ],
    [
      'a limit that is null',
      container('{ "name": "a", "resources": { "limits": { "cpu": null } } }'),
      container('{ "name": "a" }'),
      `remove ${CONTAINER}/resources`,
    ],
    ['a quantity with a line break', quantity('"1"'), quantity('"1\\n"'), `replace ${CONTAINER}/resources/limits/cpu`],
    ['a quantity with a space', quantity('"1"'), quantity('" 1"'), `replace ${CONTAINER}/resources/limits/cpu`],
    [
      'rendezvous settings that are empty',
      spec('{ "elasticPolicy": {} }'),
      spec('{ "elasticPolicy": { "rdzvConf": [] } }'),
      'add /spec/elasticPolicy/rdzvConf',
    ],
    [
      'an entry of a map that is zero',
      container('{ "resources": { "limits": {} } }'),
      container('{ "resources": { "limits": { "cpu": 0 } } }'),
      `add ${CONTAINER}/resources`,
    ],
    ['metrics that are empty', spec('{}'), spec('{ "elasticPolicy": { "metrics": [] } }'), 'add /spec/elasticPolicy'],
    ['2^53 + 1', spec('{ "a": 9007199254740992 }'), spec('{ "a": 9007199254740993 }'), 'replace /spec/a'],
    ['a number that is a string', spec('{ "a": 1 }'), spec('{ "a": "1" }'), 'replace /spec/a'],
    ['a quantity', quantity('"1"'), quantity('"1m"'), `replace ${CONTAINER}/resources/limits/cpu`],
    ['a map without omitempty', spec('{}'), spec('{ "tfReplicaSpecs": {} }'), 'add /spec/tfReplicaSpecs'],
    ['hostile keys', spec('{}'), spec('{ "a/b~c": 1, "__proto__": 1 }'), 'add /spec/__proto__, add /spec/a~1b~0c'],
    [
      'a type',
      spec('{ "runPolicy": { "cleanPodPolicy": "All" } }'),
      spec('{ "runPolicy": 1 }'),
      'replace /spec/runPolicy',
    ],
    [
      'below an ancestor of what may change',
      spec('{}'),
      spec('{ "runPolicy": { "cleanPodPolicy": "All", "backoffLimit": 3 } }'),
      'add /spec/runPolicy/backoffLimit',
    ],
    [
      'the only container',
      pod('[{ "name": "a" }]'),
      pod('[]'),
      'remove /spec/tfReplicaSpecs/PS/template/spec/containers',
    ],
    [
      'the only thing in a template, and so the template',
      container('{ "name": "a" }'),
      container(''),
      'remove /spec/tfReplicaSpecs/PS/template',
    ],
    [
      'a container at the front',
      container('1, 2'),
      container('2'),
      `replace ${CONTAINER}, remove ${CONTAINER.slice(0, -1)}1`,
    ],
    ['indexes by number', list('a'), list('b'), replacesUpTo(11)],
    [
      'keys by UTF-16 code unit',
      '{}',
      '{ "\\uff5e": 1, "\\ud83d\\ude00": 1, "a": 1 }',
      'add /a, add /\u{1f600}, add /\uff5e',
    ],
  ])('%s', (_title, before, after, changes) => {
    expect(judge(before, after)).toBe(`deny: ${changes}`);
  });
});

function pod(containers: string): string {
  return spec(
    `{ "tfReplicaSpecs": { "PS": { "template": { "spec": { "hostPID": true, "containers": ${containers} } } } } }`,
  );
}

function list(item: string): string {
  return spec(`{ "a": [${Array(12).fill(`"${item}"`).join(',')}] }`);
}

function replacesUpTo(last: number): string {
  return Array.from({ length: last + 1 }, (_, index) => `replace /spec/a/${index}`).join(', ');
}

describe('writers and lifecycle', () => {
  const owned = '{ "metadata": { "finalizers": ["a"] } }';
  const terminating = '{ "metadata": { "finalizers": ["a"], "deletionTimestamp": "2024-05-01T08:00:00Z" } }';
  const suspended = spec('{ "runPolicy": { "suspend": true }, "backoffLimit": 1 }');
  const started = spec('{ "runPolicy": {} }');
  test.each<[string, string, string, Update, string]>([
    ['a user may not remove a finalizer', owned, '{}', {}, 'deny: remove /metadata/finalizers'],
    ['while the job terminates, anybody may', terminating, '{}', {}, 'allow'],
    ['the garbage collector may', owned, '{}', { username: GARBAGE_COLLECTOR }, 'exempt'],
    ['but nothing else', owned, spec('{ "a": 1 }'), { username: GARBAGE_COLLECTOR }, 'deny: add /spec/a'],
    [
      'Kueue may not start a job by default',
      suspended,
      suspended.replace('true', 'false'),
      { username: KUEUE },
      'deny: remove /spec/runPolicy/suspend',
    ],
    [
      'with its preset it may',
      spec('{ "runPolicy": {} }'),
      spec('{ "runPolicy": { "suspend": true } }'),
      { username: KUEUE, policy: ALL_PRESETS_POLICY.naive },
      'exempt',
    ],
    [
      'suspended jobs are open where the policy says so',
      suspended,
      started,
      { policy: ALL_PRESETS_POLICY.naive },
      'allow',
    ],
    [
      'an exemption goes by group too',
      spec('{}'),
      spec('{ "runPolicy": { "backoffLimit": 1 } }'),
      { policy: OWN_POLICY.naive },
      'exempt',
    ],
    [
      'a replica type that has nothing but what may change',
      spec('{ "tfReplicaSpecs": {} }'),
      spec('{ "tfReplicaSpecs": { "PS": { "template": { "metadata": { "annotations": { "a": "b" } } } } } }'),
      { policy: OWN_POLICY.naive },
      'deny: add /spec/tfReplicaSpecs/PS',
    ],
    [
      'a struct of nothing but what may change',
      spec('{ "tfReplicaSpecs": { "PS": {} } }'),
      spec('{ "tfReplicaSpecs": { "PS": { "template": { "metadata": { "annotations": { "a": "b" } } } } } }'),
      { policy: OWN_POLICY.naive },
      'allow',
    ],
    [
      'a struct that one path opens, and a path with a star does not',
      spec('{}'),
      spec('{ "elasticPolicy": { "minReplicas": 1, "standalone": true } }'),
      { policy: OWN_POLICY.naive, resource: 'pytorchjobs' },
      'deny: add /spec/elasticPolicy/standalone',
    ],
    [
      'a new container that is empty is named itself',
      spec('{}'),
      spec('{ "elasticPolicy": {} }'),
      { policy: OWN_POLICY.naive, resource: 'pytorchjobs' },
      'deny: add /spec/elasticPolicy',
    ],
  ])('%s', (_title, before, after, update, verdict) => {
    expect(judge(before, after, update)).toBe(verdict);
  });
});

describe('/scale', () => {
  const path = '/spec/pytorchReplicaSpecs/Worker/replicas';
  test.each([
    ['{ "replicas": 2 }', '{ "replicas": 3 }', `deny: replace ${path}`],
    ['{}', '{ "replicas": 3 }', `deny: replace ${path}`],
    ['{ "replicas": 2 }', '{ "replicas": 2.0 }', 'allow'],
    ['{}', '{ "replicas": 0 }', 'allow'],
  ])('%s → %s: %s', (before, after, verdict) => {
    expect(judge(spec(before), spec(after), { resource: 'pytorchjobs', subResource: 'scale' })).toBe(verdict);
  });
});
