import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import schema from '../../schemas/policy.schema.json' with { type: 'json' };
import { policyCommand } from '../../src/commands/policy.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../src/policy/defaults.ts';
import { policyHash } from '../../src/policy/hash.ts';
import { loadPolicy, readPolicy } from '../../src/policy/load.ts';
import { matchCondition } from '../../src/policy/match-condition.ts';
import { runCommand } from '../support/run-command.ts';

const EVERYTHING = readFileSync(join(import.meta.dirname, '../fixtures/policies/right/everything.yaml'), 'utf8');

describe('jobguard policy', () => {
  test('prints the default policy, every default and preset written out', async () => {
    expect(await runCommand(policyCommand, [])).toEqual({
      code: 0,
      problems: [],
      stdout: `# The effective policy of jobguard, hash ${policyHash(completePolicy(DEFAULT_POLICY_DOCUMENT))}
# yaml-language-server: $schema=${schema.$id}
apiVersion: jobguard/v1
kind: UpdatePolicy
mode: enforce
namespaceModes: []
resources:
  - group: kubeflow.org
    resource: tfjobs
    podTemplates:
      - /spec/tfReplicaSpecs/*/template
    scaleReplicasPath: null
    suspendPath: /spec/runPolicy/suspend
    allow: []
  - group: kubeflow.org
    resource: pytorchjobs
    podTemplates:
      - /spec/pytorchReplicaSpecs/*/template
    scaleReplicasPath: /spec/pytorchReplicaSpecs/Worker/replicas
    suspendPath: /spec/runPolicy/suspend
    allow: []
allow:
  - /metadata/labels
  - /metadata/annotations
  - /spec/activeDeadlineSeconds
  - /spec/ttlSecondsAfterFinished
  - /spec/cleanPodPolicy
  - /spec/runPolicy/activeDeadlineSeconds
  - /spec/runPolicy/ttlSecondsAfterFinished
  - /spec/runPolicy/cleanPodPolicy
allowBroadPaths: false
allowBroadIdentities: false
allowUnknownPaths: false
suspendedJobs: false
presets:
  garbageCollector:
    usernames:
      - system:serviceaccount:kube-system:generic-garbage-collector
      - system:kube-controller-manager
  kueue: false
  horizontalPodAutoscaler: false
  flyte: false
exemptions: []
contact: null
`,
    });
  });

  test('prints a file with what it leaves out', async () => {
    expect(await runCommand(policyCommand, ['--policy', 'p.yaml'], { files: { 'p.yaml': EVERYTHING } })).toEqual({
      code: 0,
      problems: [],
      stdout: `# The effective policy of jobguard, hash ${loadPolicy(EVERYTHING).hash}
# yaml-language-server: $schema=${schema.$id}
apiVersion: jobguard/v1
kind: UpdatePolicy
mode: warn
namespaceModes:
  - namespaces:
      - sandbox-*
      - dev
    mode: audit
resources:
  - group: kubeflow.org
    resource: mpijobs
    podTemplates:
      - /spec/mpiReplicaSpecs/*/template
    scaleReplicasPath: /spec/mpiReplicaSpecs/Worker/replicas
    suspendPath: /spec/runPolicy/suspend
    allow:
      - /spec/slotsPerWorker
  - group: ""
    resource: pods
    podTemplates: []
    scaleReplicasPath: null
    suspendPath: null
    allow: []
allow:
  - /metadata/labels
  - /metadata/annotations/example.com~1note
  - /metadata/annotations/a~0b
allowBroadPaths: true
allowBroadIdentities: true
allowUnknownPaths: true
suspendedJobs: true
presets:
  garbageCollector:
    usernames:
      - system:serviceaccount:kube-system:generic-garbage-collector
      - system:kube-controller-manager
  kueue:
    usernames:
      - system:serviceaccount:queues:*
  horizontalPodAutoscaler: false
  flyte:
    usernames:
      - system:serviceaccount:flyte:flytepropeller
exemptions:
  - name: platform-admins
    usernames:
      - alice
    groups:
      - platform:admins
      - "*"
    namespaces:
      - "*"
    paths:
      - ""
      - /spec/*
    reason: "INC-1234: draining the old GPU pool"
    expires: 2027-01-31
contact: "ask in #ml-platform"
`,
    });
  });

  test.each([
    ['the default policy', 'apiVersion: jobguard/v1\nkind: UpdatePolicy\n'],
    ['one that uses every key', EVERYTHING],
  ])('what it prints of %s can be loaded again, and has the same hash', async (_what, text) => {
    const { stdout } = await runCommand(policyCommand, ['--policy', 'p.yaml'], { files: { 'p.yaml': text } });
    expect(loadPolicy(stdout).hash).toBe(loadPolicy(text).hash);
  });

  test('prints the hash and the policy in JSON', async () => {
    const args = ['--policy', 'p.yaml', '-o', 'json'];
    const { code, stdout } = await runCommand(policyCommand, args, { files: { 'p.yaml': EVERYTHING } });
    const policy = completePolicy(readPolicy(EVERYTHING));
    expect([code, JSON.parse(stdout)]).toEqual([0, { hash: policyHash(policy), policy }]);
    expect(loadPolicy(JSON.stringify(policy)).hash).toBe(policyHash(policy));
  });

  test('prints when the API server has to ask, for the matchCondition of a webhook', async () => {
    const args = ['--policy', 'p.yaml', '-o', 'match-condition'];
    expect(await runCommand(policyCommand, args, { files: { 'p.yaml': EVERYTHING } })).toEqual({
      code: 0,
      problems: [],
      stdout: `${matchCondition(completePolicy(readPolicy(EVERYTHING)))}\n`,
    });
  });

  test('reads a policy from stdin', async () => {
    const { stdout } = await runCommand(policyCommand, ['--policy', '-'], { stdin: EVERYTHING });
    expect(loadPolicy(stdout).hash).toBe(loadPolicy(EVERYTHING).hash);
  });

  test.each<{ what: string; args: string[]; content?: string | Uint8Array; stdin?: string; problem: string }>([
    {
      what: 'a file that is not UTF-8',
      args: ['p.yaml'],
      content: new Uint8Array([0x61, 0xff]),
      problem: 'p.yaml: is not UTF-8 text',
    },
    {
      what: 'a file that is not there',
      args: ['/nowhere/p.yaml'],
      problem: '/nowhere/p.yaml: does not exist',
    },
    {
      what: 'a wrong policy on stdin',
      args: ['-'],
      stdin: 'mode: warn',
      problem: 'stdin:1:1: apiVersion: missing; write "apiVersion: jobguard/v1"',
    },
  ])('answers $what with its problems', async ({ args, content = '', stdin = '', problem }) => {
    const { code, problems } = await runCommand(policyCommand, ['--policy', ...args], {
      files: { 'p.yaml': content },
      stdin,
    });
    expect([code, problems[0]]).toEqual([2, problem]);
  });

  test('takes a file that begins with a byte order mark', async () => {
    const files = { 'p.yaml': `\uFEFF${EVERYTHING}` };
    const { stdout } = await runCommand(policyCommand, ['--policy', 'p.yaml'], { files });
    expect(loadPolicy(stdout).hash).toBe(loadPolicy(EVERYTHING).hash);
  });

  test('answers a wrong file with its problems', async () => {
    const files = { 'p.yaml': 'apiVersion: jobguard/v1\nmod: warn\n' };
    expect(await runCommand(policyCommand, ['--policy', 'p.yaml'], { files })).toEqual({
      code: 2,
      stdout: '',
      problems: [
        'p.yaml:1:1: kind: missing; write "kind: UpdatePolicy"',
        'p.yaml:2:1: mod: unknown key; did you mean "mode"?',
      ],
    });
  });
});

describe('jobguard policy --explain', () => {
  const POLICY = `apiVersion: jobguard/v1
kind: UpdatePolicy
presets: {kueue: true}
suspendedJobs: true
exemptions:
  - name: pool-migration
    usernames: [jane]
    groups: ["platform:admins"]
    namespaces: [team-a, "research-*"]
    paths: [/spec/runPolicy/suspend]
    reason: "INC-1234: draining the old GPU pool"
    expires: 9999-01-31
  - name: oncall
    groups: [oncall]
    paths: [/spec/runPolicy/backoffLimit]
  - name: old-pool
    groups: [oncall]
    paths: [/spec/runPolicy/schedulingPolicy]
    expires: 2020-01-31T18:00:00Z
`;
  const explain = async (path: string, ...args: readonly string[]): Promise<string> => {
    const { stdout } = await runCommand(policyCommand, ['--policy', '-', '--explain', path, ...args], {
      stdin: POLICY,
    });
    return stdout;
  };

  test('says who may change a field of each guarded resource, why and until when', async () => {
    const who = `may be changed by
  everybody, while the job is suspended (suspendedJobs)
  system:serviceaccount:kueue-system:kueue-controller-manager (preset kueue)
  jane, group platform:admins, in team-a, research-*, until 9999-01-31 (exemption pool-migration: INC-1234: draining the old GPU pool)
`;
    expect(await explain('/spec/runPolicy/suspend')).toBe(
      `tfjobs.kubeflow.org: spec.runPolicy.suspend ${who}\npytorchjobs.kubeflow.org: spec.runPolicy.suspend ${who}`,
    );
  });

  test.each([
    { path: '/metadata/labels/team', who: ['everybody (allow)'] },
    {
      path: '/metadata/finalizers',
      who: [
        'everybody, once the job is being deleted',
        'system:serviceaccount:kube-system:generic-garbage-collector, system:kube-controller-manager (preset garbageCollector)',
      ],
    },
    {
      path: '/spec/runPolicy/backoffLimit',
      who: ['everybody, while the job is suspended (suspendedJobs)', 'group oncall (exemption oncall)'],
    },
    {
      path: '/spec/runPolicy/schedulingPolicy/queue',
      who: [
        'everybody, while the job is suspended (suspendedJobs)',
        'group oncall, no longer: expired 2020-01-31T18:00:00Z (exemption old-pool)',
      ],
    },
    { path: '/metadata/name', who: ['nobody'] },
    {
      path: '/spec/tfReplicaSpecs/*/template/spec/tolerations',
      who: [
        'everybody, while the job is suspended (suspendedJobs)',
        'system:serviceaccount:kueue-system:kueue-controller-manager (preset kueue)',
      ],
    },
    {
      path: '/spec/tfReplicaSpecs/Worker/template',
      who: [
        'everybody, while the job is suspended (suspendedJobs)',
        'system:serviceaccount:kueue-system:kueue-controller-manager, in parts (preset kueue)',
      ],
    },
  ])('$path of TFJobs', async ({ path, who }) => {
    const [, ...lines] = (await explain(path)).split('\n\n')[0]?.split('\n') ?? [];
    expect(lines.map((line) => line.trim()).filter((line) => line !== '')).toEqual(who);
  });

  test('says the same to programs', async () => {
    expect(JSON.parse(await explain('/metadata/labels', '-o', 'json'))).toEqual({
      path: '/metadata/labels',
      resources: ['tfjobs.kubeflow.org', 'pytorchjobs.kubeflow.org'].map((resource) => ({
        resource,
        field: 'metadata.labels',
        writers: [
          {
            by: 'allow',
            name: null,
            usernames: ['*'],
            groups: [],
            namespaces: ['*'],
            reason: null,
            expires: null,
            expired: false,
            partly: false,
          },
        ],
      })),
    });
  });

  test.each([
    { path: 'spec.x', problem: '"spec.x" is not a JSON Pointer; write "/spec/x"' },
    {
      path: '/spec/run*/suspend',
      problem:
        '"*" stands for a whole segment, not for a part of one as in "/spec/run*/suspend"; write "/spec/*/suspend"',
    },
    {
      path: '/spec/runpolicy/suspend',
      problem: 'no guarded resource has a field spec.runpolicy; did you mean "/spec/runPolicy/suspend"?',
    },
    {
      path: '/spec/priority',
      problem: 'no guarded resource has a field spec.priority; if its CRD has it, write "allowUnknownPaths: true"',
    },
  ])('refuses $path, which is no field of a guarded resource', async ({ path, problem }) => {
    const refused = { code: 2, stdout: '', problems: [`--explain: ${problem}`] };
    expect(await runCommand(policyCommand, ['--explain', path])).toEqual(refused);
  });

  test.each([
    { what: 'where the policy takes any', policy: 'allowUnknownPaths: true', path: '/spec/priority' },
    {
      what: 'of a kind that jobguard does not know',
      policy: 'resources: [{group: example.com, resource: renderjobs, podTemplates: [/spec/pod]}]',
      path: '/spec/priority',
    },
    { what: 'of one of several kinds', policy: 'presets: {kueue: true}', path: '/spec/pytorchReplicaSpecs' },
  ])('takes a field $what', async ({ policy, path }) => {
    const stdin = `apiVersion: jobguard/v1\nkind: UpdatePolicy\n${policy}\n`;
    const { code, problems } = await runCommand(policyCommand, ['--policy', '-', '--explain', path], { stdin });
    expect({ code, problems }).toEqual({ code: 0, problems: [] });
  });
});
