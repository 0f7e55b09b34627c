import { stringify } from 'yaml';

import { parsePointer } from '../../core/path.ts';
import { grantOver } from '../../core/pattern-tree.ts';
import type { Policy } from '../../core/policy.ts';
import { printable } from '../../core/text.ts';
import { compilePolicy } from '../../policy/compile.ts';
import { completePolicy } from '../../policy/complete.ts';
import { PolicyFileError, readPolicy } from '../../policy/load.ts';
import type { ExemptionDocument, PolicyDocument } from '../../policy/document.ts';
import type { RefusedWriter, Report } from './report.ts';

/** What a writer needs beyond a policy, and what for. */
interface Need {
  readonly writer: RefusedWriter;
  /** The preset that lets it do some of that; undefined where there is none. */
  readonly preset: string | undefined;
  /** JSON Pointers that the preset does not cover. */
  readonly paths: readonly string[];
  /** How many paths were shortened where they were counted, and cannot be written out. */
  readonly unwritable: number;
}

/** Service accounts, and Kubernetes' own components. Whoever else has a name is taken for a person. */
const CONTROLLER = /^system:(?:serviceaccount:|kube-)/;

/**
 * Returns, as YAML, the smallest policy under which the controllers of a report would not have been refused: `document`,
 * with presets where they fit and else with exemptions for those controllers, paths and namespaces. People get none; they
 * are listed in a comment.
 */
export function suggestedPolicy({ writers }: Report, document: PolicyDocument): string {
  const controllers = merged(writers.filter(({ user }) => CONTROLLER.test(user)));
  const people = merged(writers.filter(({ user }) => !CONTROLLER.test(user)));
  const needs = controllers.map((writer) => needOf(writer, document));
  const presets = needs.flatMap(({ preset }) => (preset === undefined ? [] : [preset]));
  const exemptions = exemptionsFor(needs, document);
  const suggested = {
    ...document,
    ...(presets.length > 0 && { presets: { ...document.presets, ...allOn(presets) } }),
    ...(exemptions.length > 0 && { exemptions: [...(document.exemptions ?? []), ...exemptions] }),
  };
  const comments = [
    ...needs.map(needText),
    ...people.map((writer) => `Refused to a person, whom nothing here exempts: ${writerText(writer)}`),
  ];
  return (
    comments.map((line) => `# ${line}\n`).join('') +
    (ifItLoads(suggested) ?? yamlOf({ ...suggested, allowUnknownPaths: true }))
  );
}

function yamlOf(document: PolicyDocument): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
}

/** Returns a policy as YAML; undefined where it does not load, as with fields that only a fork of a CRD has. */
function ifItLoads(document: PolicyDocument): string | undefined {
  const yaml = yamlOf(document);
  try {
    readPolicy(yaml, { file: 'the suggested policy' });
  } catch (error) {
    if (error instanceof PolicyFileError) return undefined;
    throw error;
  }
  return yaml;
}

/** Returns each user once, whatever field managers it has; the one with the most refused updates first. */
function merged(writers: readonly RefusedWriter[]): RefusedWriter[] {
  const users = [...Map.groupBy(writers, ({ user }) => user).values()].map((parts) => {
    const [first] = parts as [RefusedWriter, ...RefusedWriter[]];
    return {
      ...first,
      denied: parts.reduce((sum, { denied }) => sum + denied, 0),
      namespaces: [...new Set(parts.flatMap(({ namespaces }) => namespaces))].sort(),
      paths: parts.flatMap(({ paths }) => paths),
    };
  });
  return users.sort((a, b) => b.denied - a.denied);
}

function needOf(writer: RefusedWriter, document: PolicyDocument): Need {
  const written = [...new Set(writer.paths.map(({ path }) => aboveItems(path)))].sort();
  const paths = written.filter((path) => !SHORTENED.test(path));
  const unwritable = written.length - paths.length;
  const preset = compilePolicy(completePolicy(document)).dormantPresets.find(({ covers }) => covers(writer.user))?.name;
  if (preset === undefined) return { writer, preset, paths, unwritable };
  const policy = compilePolicy(completePolicy({ ...document, presets: { ...document.presets, ...allOn([preset]) } }));
  const left = paths.filter((path) => !isGranted(policy, writer, path));
  return left.length === paths.length
    ? { writer, preset: undefined, paths, unwritable }
    : { writer, preset, paths: left, unwritable };
}

/** What `printablePointer` leaves of keys that are long or odd. */
const SHORTENED = /…|\\u\{/;

/** Cuts a path at the first item of a list: lists are compared item by item, and the next one to change is another. */
function aboveItems(path: string): string {
  return path.replace(/\/\d+(?:\/.*)?$/, '');
}

/** Tells whether a writer may change a path of any of the guarded resources. */
function isGranted(policy: Policy, { user, groups, namespaces, lastSeen }: RefusedWriter, path: string): boolean {
  const segments = parsePointer(path) ?? [];
  const granted = policy.exemptionsOf({ username: user, groups }, namespaces[0] ?? '', lastSeen);
  return [...policy.resources.values()].some(
    ({ permissions }) =>
      grantOver(permissions, segments, ({ kind, rank }) => kind === 'exemption' && granted[rank] === 1) !== undefined,
  );
}

function allOn(presets: readonly string[]): Readonly<Record<string, true>> {
  return Object.fromEntries(presets.map((name) => [name, true]));
}

/** Names each exemption after its controller; names that are taken get a number. */
function exemptionsFor(needs: readonly Need[], { exemptions = [] }: PolicyDocument): ExemptionDocument[] {
  const taken = new Set(exemptions.map(({ name }) => name));
  return needs
    .filter(({ paths }) => paths.length > 0)
    .map(({ writer: { user, namespaces }, paths }) => {
      const name = freeName(
        user
          .replace(CONTROLLER, '')
          .replaceAll(/[^a-z0-9]+/g, '-')
          .slice(0, 60),
        taken,
      );
      taken.add(name);
      return { name, usernames: [user], namespaces, paths };
    });
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name}-${number}`)) number += 1;
  return `${name}-${number}`;
}

function needText({ writer, preset, paths, unwritable }: Need): string {
  const means = [
    ...(preset === undefined ? [] : [`The preset ${preset}`]),
    ...(paths.length === 0 ? [] : ['An exemption']),
  ];
  const missing = unwritable === 0 ? '' : `; without ${unwritable} paths that are too long or odd to be written here`;
  return `${means.join(', ') || 'Nothing'} for ${writerText(writer)}${missing}`;
}

function writerText({ user, denied }: RefusedWriter): string {
  return `${printable(user, MAX_NAME_LENGTH)}, ${denied} update${denied === 1 ? '' : 's'}`;
}

const MAX_NAME_LENGTH = 253;
