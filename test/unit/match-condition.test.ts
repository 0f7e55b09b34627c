import { describe, expect, test } from '@jest/globals';
import { completePolicy } from '../../src/policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../src/policy/defaults.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';
import { matchCondition } from '../../src/policy/match-condition.ts';

/** What it evaluates to is tested with the API server's own library: test/chart/match-condition-pairs.test.ts. */

const SERVER_OWNED =
  "'managedFields', 'generation', 'resourceVersion', 'selfLink', 'uid', 'creationTimestamp', 'deletionTimestamp', " +
  "'deletionGracePeriodSeconds'";
const IS_TERMINATING = "type(oldObject['metadata'][?'deletionTimestamp'].orValue(null)) == string";

function conditionWith(fields: Partial<PolicyDocument>): string {
  return matchCondition(completePolicy({ ...DEFAULT_POLICY_DOCUMENT, ...fields }));
}

const TFJOBS = { group: 'kubeflow.org', resource: 'tfjobs' };
const RENDER_JOBS = { group: 'example.com', resource: 'renderjobs', podTemplates: ['/spec/template'] };

describe('the matchCondition of a policy', () => {
  test('walks every key above an allowed path, on both sides', () => {
    const covered = `k in ['labels', ${SERVER_OWNED}] || (k in ['finalizers', 'ownerReferences'] && ${IS_TERMINATING})`;
    const policy = { allow: ['/metadata/labels'], presets: { garbageCollector: false } };
    expect(conditionWith(policy)).toBe(`has(request.subResource) && request.subResource != '' || !(\
type(object) == map && size(object) < 1000
&& type(oldObject) == map && size(oldObject) < 1000
&& object.all(k, k in ['metadata'] || (k in oldObject && object[k] == oldObject[k]))
&& oldObject.all(k, k in ['metadata'] || k in object)
&& (object[?'metadata'] == oldObject[?'metadata'] || \
type(object[?'metadata'].orValue(null)) == map && size(object['metadata']) < 1000
&& type(oldObject[?'metadata'].orValue(null)) == map && size(oldObject['metadata']) < 1000
&& object['metadata'].all(k, ${covered} || (k in oldObject['metadata'] && object['metadata'][k] == oldObject['metadata'][k]))
&& oldObject['metadata'].all(k, ${covered} || k in object['metadata'])))`);
  });

  test.each<{ what: string; policy: Partial<PolicyDocument>; text: string }>([
    {
      what: 'an escaped key is written as it is in the object',
      policy: { allow: ['/metadata/annotations/example.com~1note', '/metadata/annotations/a~0b'] },
      text: "object['metadata']['annotations'].all(k, k in ['example.com/note', 'a~b'] || ",
    },
    {
      what: "a resource's own paths count as well",
      policy: { resources: [{ ...RENDER_JOBS, allow: ['/spec/priority'] }], allow: ['/metadata/labels'] },
      text: "object['spec'].all(k, k in ['priority'] || ",
    },
    {
      what: 'a path below another one adds nothing',
      policy: { allow: ['/metadata/annotations/note', '/metadata/annotations'] },
      text: `all(k, k in ['annotations', ${SERVER_OWNED}] || `,
    },
    {
      what: 'a cleanPodPolicy that the operator misreads is asked about',
      policy: { allow: ['/spec/cleanPodPolicy'] },
      text: "object['spec']['cleanPodPolicy'] in ['', 'None', 'Running', 'All']",
    },
    {
      what: 'so is a negative or fractional number of seconds',
      policy: { allow: ['/spec/runPolicy/ttlSecondsAfterFinished'] },
      text:
        "type(object['spec']['runPolicy']['ttlSecondsAfterFinished']) == int && " +
        "object['spec']['runPolicy']['ttlSecondsAfterFinished'] >= 0",
    },
    {
      what: 'the first runPolicy may come with suspend: false',
      policy: { allow: ['/spec/runPolicy/ttlSecondsAfterFinished'] },
      text: "(k == 'suspend' && !(k in oldObject[?'spec'][?'runPolicy'].orValue({})) && ",
    },
    {
      what: 'the garbage collector may change owners at any time, under the names of the policy',
      policy: { presets: { garbageCollector: { usernames: ['system:serviceaccount:gc:collector', 'gc:*'] } } },
      text: `(${IS_TERMINATING} || request.userInfo.username in ['system:serviceaccount:gc:collector'])`,
    },
    {
      what: 'resources with paths of their own have one walk each',
      policy: { resources: [TFJOBS, { ...RENDER_JOBS, allow: ['/spec/priority'] }] },
      text: "request.resource.group == 'example.com' && request.resource.resource == 'renderjobs' ? !(",
    },
  ])('$what', ({ policy, text }) => {
    expect(conditionWith(policy)).toContain(text);
  });

  test.each<{ what: string; policy: Partial<PolicyDocument>; text: string }>([
    {
      what: 'a path with a * is asked about',
      policy: { allow: ['/metadata/labels', '/spec/tfReplicaSpecs/*/replicas'] },
      text: 'tfReplicaSpecs',
    },
    {
      what: 'a key that could end a CEL string is asked about',
      policy: { allow: ["/metadata/annotations/it's"] },
      text: "it's",
    },
    {
      what: 'all of runPolicy is asked about, since it could hold a value that is misread',
      policy: { allow: ['/spec/runPolicy'] },
      text: 'runPolicy',
    },
    {
      what: 'a writer with a * in its name is asked about',
      policy: { presets: { garbageCollector: { usernames: ['gc:*'] } } },
      text: 'username',
    },
    {
      what: 'a kind without a runPolicy of the training operator has none that may be empty',
      policy: { resources: [RENDER_JOBS], allow: ['/spec/runPolicy/ttlSecondsAfterFinished'] },
      text: 'suspend',
    },
    {
      what: 'resources with the same paths share one walk',
      policy: {},
      text: 'request.resource',
    },
  ])('$what', ({ policy, text }) => {
    expect(conditionWith(policy)).not.toContain(text);
  });
});
