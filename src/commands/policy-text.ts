import type { FieldExplanation, Permission } from '../policy/explanation.ts';

/** Writes for people who may change a field, a paragraph a guarded resource. */
export function explanationText(explanations: readonly FieldExplanation[]): string {
  return explanations.map(resourceText).join('\n');
}

function resourceText({ resource, field, writers }: FieldExplanation): string {
  const lines = writers.length === 0 ? ['nobody'] : writers.map(writerText);
  return [`${resource}: ${field} may be changed by`, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

function writerText(permission: Permission): string {
  const parts = permission.partly ? ', in parts' : '';
  return `${whoText(permission)}${whenText(permission)}${parts}${whyText(permission)}`;
}

function whoText({ name, usernames, groups, namespaces }: Permission): string {
  if (name === null) return 'everybody';
  const who = [...usernames, ...groups.map((group) => `group ${group}`)].join(', ');
  return namespaces.includes('*') ? who : `${who}, in ${namespaces.join(', ')}`;
}

function whenText({ by, expires, expired }: Permission): string {
  if (by === 'deletion') return ', once the job is being deleted';
  if (by === 'suspendedJobs') return ', while the job is suspended';
  if (expires === null) return '';
  return expired ? `, no longer: expired ${expires}` : `, until ${expires}`;
}

function whyText({ by, name, reason }: Permission): string {
  if (name === null) return by === 'deletion' ? '' : ` (${by})`;
  return ` (${by} ${name}${reason === null ? '' : `: ${reason}`})`;
}
