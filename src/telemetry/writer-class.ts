import type { Policy } from '../core/policy.ts';

/** A kind of writer, coarse enough to be a metric's label: user, service_account, node or the name of a preset. */
export type WriterClass = string;

/** Source: k8s.io/apiserver pkg/authentication/serviceaccount/util.go and pkg/authentication/user/user.go. */
const CLASS_OF_PREFIX: readonly (readonly [prefix: string, WriterClass])[] = [
  ['system:serviceaccount:', 'service_account'],
  ['system:node:', 'node'],
];

/** Lists the classes that `writerClass` can return for a policy. */
export function writerClasses(policy: Policy): WriterClass[] {
  return ['user', 'service_account', 'node', ...policy.dormantPresets.map(({ name }) => name)];
}

/** Returns the class of a writer: the preset that would let it through and is off, else what its username says. */
export function writerClass(policy: Policy, username: string): WriterClass {
  const preset = policy.dormantPresets.find(({ covers }) => covers(username));
  if (preset !== undefined) return preset.name;
  return CLASS_OF_PREFIX.find(([prefix]) => username.startsWith(prefix))?.[1] ?? 'user';
}
