import { expect, test } from '@jest/globals';

import { PolicyFileError, readPolicy } from '../../src/policy/load.ts';

/** What was typed below the first two lines of a policy, and everything that is said about it. */
const MISTYPED: readonly { readonly typed: string; readonly said: string }[] = [
  {
    typed: 'resources: [{group: kubeflow.org, resource: tfjob}]',
    said: 'policy:3:45: resources[0].resource: "tfjob" is not the plural name of a resource; write "tfjobs"',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: TFJob}]',
    said: 'policy:3:45: resources[0].resource: "TFJob" is not the plural name of a resource; write "tfjobs"',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: PyTorchJb}]',
    said: 'policy:3:45: resources[0].resource: "PyTorchJb" is not the plural name of a resource; write "pytorchjobs"',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: pytorchjbos}]',
    said: 'policy:3:45: resources[0].resource: "kubeflow.org" has no "pytorchjbos"; did you mean "pytorchjobs"?',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: tfjobs.kubeflow.org}]',
    said: 'policy:3:45: resources[0].resource: "tfjobs.kubeflow.org" is not the plural name of a resource; write "resource: tfjobs" and "group: kubeflow.org"',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: tfjobs/scale}]',
    said: 'policy:3:45: resources[0].resource: "tfjobs/scale" is not the plural name of a resource; write "tfjobs", its subresources are guarded with it',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: tfjob, podTemplates: [/spec/tfReplicaSpecs/*/template]}]',
    said: 'policy:3:45: resources[0].resource: "tfjob" is not the plural name of a resource; write "tfjobs"',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: trainjobs}]',
    said: 'policy:3:21: resources[0].group: "kubeflow.org" is not the group of trainjobs; did you mean "trainer.kubeflow.org"? If another kind has this name, write its podTemplates',
  },
  {
    typed: 'resources: [{group: trainer.kubeflow.org, resource: trainjob}]',
    said: 'policy:3:53: resources[0].resource: "trainjob" is not the plural name of a resource; write "trainjobs"',
  },
  {
    typed: 'resources: [{group: kubeflow.og, resource: tfjobs}]',
    said: 'policy:3:21: resources[0].group: "kubeflow.og" is not the group of tfjobs; did you mean "kubeflow.org"? If another kind has this name, write its podTemplates',
  },
  {
    typed: 'resources: [{group: Kubeflow.org, resource: tfjobs}]',
    said: 'policy:3:21: resources[0].group: "Kubeflow.org" is not an API group; write "kubeflow.org"',
  },
  {
    typed: 'resources: [{group: kubeflow.org/v1, resource: tfjobs}]',
    said: 'policy:3:21: resources[0].group: "kubeflow.org/v1" is not an API group; write "kubeflow.org", without a version',
  },
  {
    typed: "resources: [{group: '', resource: jobs}]",
    said: 'policy:3:21: resources[0].group: "" is not the group of jobs; did you mean "batch"? If another kind has this name, write its podTemplates',
  },
  {
    typed: 'resources: [{group: batch, resource: job}]',
    said: 'policy:3:38: resources[0].resource: "job" is not the plural name of a resource; write "jobs"',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: sparkapplications}]',
    said: 'policy:3:45: resources[0].resource: "kubeflow.org" has no "sparkapplications"; did you mean "paddlejobs"? If its CRD has it, write its podTemplates',
  },
  {
    typed: 'resources: [{group: batch, resource: pods}]',
    said: 'policy:3:38: resources[0].resource: "batch" has no "pods"; did you mean "jobs"?',
  },
  {
    typed: 'resources: [{group: jobset.x-k8s.io, resource: replicas}]',
    said: 'policy:3:48: resources[0].resource: "jobset.x-k8s.io" has no "replicas"; did you mean "jobsets"? If its CRD has it, write its podTemplates',
  },
  {
    typed: 'resources: [{group: ray.io, resource: ray-jobs}]',
    said: 'policy:3:39: resources[0].resource: "ray.io" has no "ray-jobs"; did you mean "rayjobs"?',
  },
  {
    typed: 'resources: [{group: jobset.x-k8s.io, resource: JobSet}]',
    said: 'policy:3:48: resources[0].resource: "JobSet" is not the plural name of a resource; write "jobsets"',
  },
  {
    typed: 'resources: [{group: example.com, resource: RenderJob}]',
    said: 'policy:3:44: resources[0].resource: "RenderJob" is not the plural name of a resource; write "renderjobs"',
  },
  {
    typed: 'resources: [{group: example.com, resource: policy}]',
    said: 'policy:3:44: resources[0].resource: "policy" is not the plural name of a resource; write "policies"',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: tfjobs, podTemplates: [/spec/tfReplicaSpec/*/template]}]',
    said: 'policy:3:68: resources[0].podTemplates[0]: tfjobs.kubeflow.org has no field spec.tfReplicaSpec; did you mean "/spec/tfReplicaSpecs/*/template"?',
  },
  {
    typed:
      'resources: [{group: kubeflow.org, resource: pytorchjobs, scaleReplicasPath: /spec/pytorchReplicaSpecs/Wroker/replicas}]',
    said: 'policy:3:77: resources[0].scaleReplicasPath: pytorchjobs.kubeflow.org has no field spec.pytorchReplicaSpecs[Wroker]; did you mean "/spec/pytorchReplicaSpecs/Worker/replicas"?',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: tfjobs, suspendPath: /spec/suspend}]',
    said: 'policy:3:66: resources[0].suspendPath: tfjobs.kubeflow.org has no field spec.suspend; did you mean "/spec/runPolicy/suspend"?',
  },
  {
    typed: 'resources: [{group: kubeflow.org, resource: mpijobs, allow: [/spec/slotPerWorker]}]',
    said: 'policy:3:62: resources[0].allow[0]: mpijobs.kubeflow.org has no field spec.slotPerWorker; did you mean "/spec/slotsPerWorker"?',
  },
  {
    typed: 'resources: [{group: batch, resource: jobs, allow: [/spec/template/spec/tolerationz]}]',
    said: 'policy:3:52: resources[0].allow[0]: jobs.batch has no field spec.template.spec.tolerationz; did you mean "/spec/template/spec/tolerations"?',
  },
  {
    typed:
      'resources: [{group: example.com, resource: renderjobs, podTemplates: [/spec/pod], allow: [/spec/pod/metadata/label]}]',
    said: 'policy:3:91: resources[0].allow[0]: renderjobs.example.com has no field spec.pod.metadata.label; did you mean "/spec/pod/metadata/labels"?',
  },
  {
    typed: 'resources: [{group: batch, resource: jobs, allow: [/spec/paralelism]}]',
    said: 'policy:3:52: resources[0].allow[0]: jobs.batch has no field spec.paralelism; did you mean "/spec/parallelism"?',
  },
  {
    typed: 'resources: [{group: trainer.kubeflow.org, resource: trainjobs, allow: [/spec/trainer/numNode]}]',
    said: 'policy:3:72: resources[0].allow[0]: trainjobs.trainer.kubeflow.org has no field spec.trainer.numNode; did you mean "/spec/trainer/numNodes"?',
  },
  {
    typed: 'resources: [{group: jobset.x-k8s.io, resource: jobsets, allow: [/spec/replicatedJobs/workers/replicas]}]',
    said: 'policy:3:65: resources[0].allow[0]: jobsets.jobset.x-k8s.io has no field spec.replicatedJobs.workers; if its CRD has it, write "allowUnknownPaths: true"',
  },
  {
    typed: 'allow: [/metadata/label]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field metadata.label; did you mean "/metadata/labels"?',
  },
  {
    typed: 'allow: [/spec/runpolicy/suspend]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.runpolicy; did you mean "/spec/runPolicy/suspend"?',
  },
  {
    typed: 'allow: [/spec/runPolicy/cleanPodPolcy]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.runPolicy.cleanPodPolcy; did you mean "/spec/runPolicy/cleanPodPolicy"?',
  },
  {
    typed: 'allow: [/spec/cleanPodPolcy]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.cleanPodPolcy; did you mean "/spec/cleanPodPolicy"?',
  },
  {
    typed: 'allow: [/spec/suspend]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.suspend; did you mean "/spec/runPolicy/suspend"?',
  },
  {
    typed: 'allow: [/spec/runpolicy/cleanPodPolcy]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.runpolicy; did you mean "/spec/runPolicy/cleanPodPolicy"?',
  },
  {
    typed: 'allow: [/spec/tfReplicaSpecs/Wroker/replicas]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.tfReplicaSpecs[Wroker]; did you mean "/spec/tfReplicaSpecs/Worker/replicas"?',
  },
  {
    typed: 'allow: [/spec/tfReplicaSpecs/replicas]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.tfReplicaSpecs[replicas]; did you mean "/spec/tfReplicaSpecs/*/replicas"?',
  },
  {
    typed: 'allow: [/spec/tfReplicaSpecs/*/template/spec/tolerationz]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.tfReplicaSpecs[*].template.spec.tolerationz; did you mean "/spec/tfReplicaSpecs/*/template/spec/tolerations"?',
  },
  {
    typed: 'allow: [/spec/tfReplicaSpecs/*/template/spec/containers/image]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.tfReplicaSpecs[*].template.spec.containers.image; did you mean "/spec/tfReplicaSpecs/*/template/spec/containers/*/image"?',
  },
  {
    typed: 'allow: [/spec/tfReplicaSpecs/*/template/metadata/annotations/example.com/owner]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.tfReplicaSpecs[*].template.metadata.annotations[example.com].owner; did you mean "/spec/tfReplicaSpecs/*/template/metadata/annotations/example.com~1owner"?',
  },
  {
    typed: 'allow: [/metadata/annotations/example.com/owner]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field metadata.annotations[example.com].owner; did you mean "/metadata/annotations/example.com~1owner"?',
  },
  {
    typed: 'allow: [/labels]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field labels; did you mean "/metadata/labels"?',
  },
  {
    typed: 'allow: [/sepc/runPolicy/suspend]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field sepc; did you mean "/spec/runPolicy/suspend"?',
  },
  {
    typed: 'allow: [/spec/runPolicy/suspend/value]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.runPolicy.suspend.value; if its CRD has it, write "allowUnknownPaths: true"',
  },
  {
    typed: 'allow: [/spec/priority]',
    said: 'policy:3:9: allow[0]: no guarded resource has a field spec.priority; if its CRD has it, write "allowUnknownPaths: true"',
  },
  {
    typed: 'allow: [spec.runPolicy.suspend]',
    said: 'policy:3:9: allow[0]: "spec.runPolicy.suspend" is not a JSON Pointer; write "/spec/runPolicy/suspend"',
  },
  {
    typed: 'allow: [/spec/tfReplicaSpecs/*]',
    said: 'policy:3:9: allow[0]: "/spec/tfReplicaSpecs/*" lets replica types or containers come and go; if that is meant, write "allowBroadPaths: true"',
  },
  {
    typed: 'allow: [/spec/*/*/template/spec/containers/*]',
    said: 'policy:3:9: allow[0]: "/spec/*/*/template/spec/containers/*" lets replica types or containers come and go; if that is meant, write "allowBroadPaths: true"',
  },
  {
    typed: `resources: [{group: kubeflow.org, resource: tfjobs}, {group: batch, resource: jobs}]
allow: [/spec/runpolicy/suspend]`,
    said: 'policy:4:9: allow[0]: no guarded resource has a field spec.runpolicy; did you mean "/spec/runPolicy/suspend"?',
  },
  {
    typed: `resources: [{group: batch, resource: jobs}]
allow: [/metadata/lables]`,
    said: 'policy:4:9: allow[0]: jobs.batch has no field metadata.lables; did you mean "/metadata/labels"?',
  },
  {
    typed: 'mode: enforced',
    said: 'policy:3:7: mode: must be one of enforce, warn, audit, not "enforced"; did you mean "enforce"?',
  },
  {
    typed: 'namespaceModes: [{namespaces: [a], mode: wran}]',
    said: 'policy:3:42: namespaceModes[0].mode: must be one of enforce, warn, audit, not "wran"; did you mean "warn"?',
  },
  {
    typed: 'namespaceModes: [{namespaces: [Team_A], mode: warn}]',
    said: 'policy:3:32: namespaceModes[0].namespaces[0]: "Team_A" matches no namespace; write "team-a"',
  },
  {
    typed: "namespaceModes: [{namespaces: ['prod_*'], mode: warn}]",
    said: 'policy:3:32: namespaceModes[0].namespaces[0]: "prod_*" matches no namespace; write "prod-*"',
  },
  {
    typed: "namespaceModes: [{namespaces: ['-prod'], mode: warn}]",
    said: 'policy:3:32: namespaceModes[0].namespaces[0]: "-prod" matches no namespace; write "prod"',
  },
  {
    typed: "namespaceModes: [{namespaces: ['!'], mode: warn}]",
    said: 'policy:3:32: namespaceModes[0].namespaces[0]: "!" matches no namespace; write it as in team-a or team-*',
  },
  {
    typed: 'namespaceModes: [{namespaces: [a.b], mode: warn}]',
    said: 'policy:3:32: namespaceModes[0].namespaces[0]: "a.b" matches no namespace; write "a-b"',
  },
  { typed: 'presets: {Kueue: true}', said: 'policy:3:11: presets.Kueue: unknown key; did you mean "kueue"?' },
  {
    typed: 'presets: {hpa: true}',
    said: 'policy:3:11: presets.hpa: unknown key; known are garbageCollector, kueue, horizontalPodAutoscaler, flyte',
  },
  {
    typed: 'presets: {kueue: yes}',
    said: 'policy:3:18: presets.kueue: must be true, false or a map with usernames, not "yes"; write true',
  },
  {
    typed: "presets: {kueue: {usernames: ['system:serviceaccount:*:kueue-controller-manager']}}",
    said: 'policy:3:31: presets.kueue.usernames[0]: "system:serviceaccount:*:kueue-controller-manager" covers service accounts of namespaces that it does not name; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed: "exemptions: [{name: a, usernames: ['*'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:36: exemptions[0].usernames[0]: "*" covers everybody; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed: "exemptions: [{name: a, usernames: ['system:*'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:36: exemptions[0].usernames[0]: "system:*" covers everybody; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed: "exemptions: [{name: a, usernames: ['*-admin'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:36: exemptions[0].usernames[0]: "*-admin" covers service accounts of namespaces that it does not name; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed:
      "exemptions: [{name: a, usernames: ['system:serviceaccount:team-*:scheduler'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:36: exemptions[0].usernames[0]: "system:serviceaccount:team-*:scheduler" covers service accounts of namespaces that it does not name; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed: "exemptions: [{name: a, usernames: ['system:serviceaccounts:ml:scheduler'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:36: exemptions[0].usernames[0]: "system:serviceaccounts:ml:scheduler" is not the username of a service account; write it as in "system:serviceaccount:NAMESPACE:NAME"',
  },
  {
    typed: "exemptions: [{name: a, usernames: ['system:serviceaccount:ml/scheduler'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:36: exemptions[0].usernames[0]: "system:serviceaccount:ml/scheduler" is not the username of a service account; write it as in "system:serviceaccount:NAMESPACE:NAME"',
  },
  {
    typed: "exemptions: [{name: a, usernames: ['serviceaccount:ml:scheduler'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:36: exemptions[0].usernames[0]: "serviceaccount:ml:scheduler" is not the username of a service account; write it as in "system:serviceaccount:NAMESPACE:NAME"',
  },
  {
    typed: "exemptions: [{name: a, groups: ['system:authenticated'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:33: exemptions[0].groups[0]: "system:authenticated" covers everybody; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed: "exemptions: [{name: a, groups: ['system:serviceaccounts'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:33: exemptions[0].groups[0]: "system:serviceaccounts" covers service accounts of namespaces that it does not name; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed: "exemptions: [{name: a, groups: ['system:serviceaccounts:team-*'], paths: [/metadata/finalizers]}]",
    said: 'policy:3:33: exemptions[0].groups[0]: "system:serviceaccounts:team-*" covers service accounts of namespaces that it does not name; if that is meant, write "allowBroadIdentities: true"',
  },
  {
    typed: 'exemptions: [{name: a, groups: [a], namespaces: [Team-A], paths: [/metadata/finalizers]}]',
    said: 'policy:3:50: exemptions[0].namespaces[0]: "Team-A" matches no namespace; write "team-a"',
  },
  {
    typed: 'exemptions: [{name: a, groups: [a], paths: [/metadata/finalizer]}]',
    said: 'policy:3:45: exemptions[0].paths[0]: no guarded resource has a field metadata.finalizer; did you mean "/metadata/finalizers"?',
  },
  {
    typed: 'exemption: [{name: a, groups: [a], paths: [/metadata/finalizers]}]',
    said: 'policy:3:1: exemption: unknown key; did you mean "exemptions"?',
  },
  { typed: "contact: ' '", said: 'policy:3:10: contact: the text is empty' },
  { typed: "contact: ''", said: 'policy:3:10: contact: the text is empty' },
  {
    typed: String.raw`contact: "ask\tAda"`,
    said: 'policy:3:10: contact: must be one line, without control characters',
  },
];

test.each(MISTYPED)('$typed', ({ typed, said }) => {
  const read = (): unknown => readPolicy(`apiVersion: jobguard/v1\nkind: UpdatePolicy\n${typed}\n`);
  expect(read).toThrow(new PolicyFileError([said]));
});

/** Policies that look alike and mean what they say. */
const MEANT: readonly string[] = [
  'resources: [{group: kubeflow.org, resource: mxjobs}]',
  'resources: [{group: batch, resource: cronjobs}]',
  'resources: [{group: ray.io, resource: rayclusters}]',
  'resources: [{group: example.com, resource: renderjobs}]',
  'resources: [{group: kubeflow.org, resource: sparkapplications, podTemplates: [/spec/template]}]',
  'resources: [{group: kubeflow.org, resource: experiments}, {group: trainer.kubeflow.org, resource: trainingruntimes}]',
  'resources: [{group: batch.volcano.sh, resource: jobs, podTemplates: [/spec/tasks/*/template]}]',
  'allow: []',
  'allow: [/spec/tfReplicaSpecs/ps/replicas, /spec/pytorchReplicaSpecs/*/replicas]',
  'allow: [/spec/*/*/template/metadata/annotations, /spec/tfReplicaSpecs/*/template/spec/containers/0/image]',
  'allow: [/spec/backoffLimit, /spec/schedulingPolicy/queue]',
  'allow: [/metadata/annotations/example.com~1owner, /metadata/managedFields/0/time]',
  'allow: [/spec/runPolicy/preemptible]\nallowUnknownPaths: true',
  'allow: [/spec/tfReplicaSpecs/*]\nallowBroadPaths: true',
  'allow: [/spec/suspend]\nresources: [{group: kubeflow.org, resource: tfjobs}, {group: batch, resource: jobs}]',
  'allow: [/spec/podTemplateOverrides/0/spec, /spec/podSpecOverrides, /spec/ttlSecondsAfterFinished]\nresources: [{group: trainer.kubeflow.org, resource: trainjobs}]',
  'allow: [/spec/replicatedJobs/*/replicas]\nresources: [{group: jobset.x-k8s.io, resource: jobsets}]',
  'allow: [/spec/priority]\nresources: [{group: example.com, resource: renderjobs, podTemplates: null}]',
  'namespaceModes: [{namespaces: ["*", "*-prod", "team-*", a, "**"], mode: warn}]',
  'exemptions: [{name: a, usernames: ["*@example.com", "oidc:*", "system:node:*"], paths: [/metadata/finalizers]}]',
  'exemptions: [{name: a, usernames: ["system:serviceaccount:ml:*"], paths: [/metadata/finalizers]}]',
  'exemptions: [{name: a, groups: ["system:masters", "platform:*"], paths: [/metadata/finalizers]}]',
  'exemptions: [{name: a, groups: ["system:serviceaccounts:ml"], paths: [/metadata/finalizers]}]',
  'exemptions: [{name: a, groups: ["*"], paths: [/metadata/finalizers]}]\nallowBroadIdentities: true',
];

test.each(MEANT)('means what it says: %s', (text) => {
  expect(readPolicy(`apiVersion: jobguard/v1\nkind: UpdatePolicy\n${text}\n`)).toMatchObject({ kind: 'UpdatePolicy' });
});
