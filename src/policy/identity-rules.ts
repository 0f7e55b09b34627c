import type { JsonValue } from '../core/json.ts';
import { compileGlob } from '../core/glob.ts';
import { isSet, textsAt, type FoundText } from './document-values.ts';
import { PRESET_NAMES } from './presets.ts';
import type { PolicyProblem } from './wording.ts';

const USERNAME_PLACES = ['/exemptions/*/usernames/*', ...PRESET_NAMES.map((name) => `/presets/${name}/usernames/*`)];
const GROUP_PLACES = ['/exemptions/*/groups/*'];

/** Names that cover more than whom they name, and what those of a namespace's service accounts have before its name. */
interface Identities {
  readonly everybody: readonly string[];
  readonly serviceAccounts: readonly string[];
  readonly beforeNamespace: string;
}

/** Source: k8s.io/apiserver pkg/authentication/user/user.go, pkg/authentication/serviceaccount/util.go. */
const USERNAMES: Identities = {
  everybody: ['system:anonymous'],
  serviceAccounts: [],
  beforeNamespace: 'system:serviceaccount:',
};
const GROUPS: Identities = {
  everybody: ['system:authenticated', 'system:unauthenticated'],
  serviceAccounts: ['system:serviceaccounts'],
  beforeNamespace: 'system:serviceaccounts:',
};

/**
 * Finds identities that cover everybody, or service accounts of namespaces that the policy does not name: whoever owns
 * such a namespace can create them.
 */
export function broadIdentities(document: JsonValue): PolicyProblem[] {
  if (isSet(document, 'allowBroadIdentities')) return [];
  return [
    ...textsAt(document, USERNAME_PLACES).flatMap((found) => broadIdentity(found, USERNAMES)),
    ...textsAt(document, GROUP_PLACES).flatMap((found) => broadIdentity(found, GROUPS)),
  ];
}

function broadIdentity({ path, value }: FoundText, identities: Identities): PolicyProblem[] {
  const covered = whomCovers(value, identities);
  const text = `${JSON.stringify(value)} covers ${String(covered)}; if that is meant, write "allowBroadIdentities: true"`;
  return covered === undefined ? [] : [{ path, isAtKey: false, text }];
}

function whomCovers(glob: string, { everybody, serviceAccounts, beforeNamespace }: Identities): string | undefined {
  const covers = compileGlob(glob);
  if (everybody.some(covers)) return 'everybody';
  const isOpen = serviceAccounts.some(covers) || leavesNamespaceOpen(glob, beforeNamespace);
  return isOpen ? 'service accounts of namespaces that it does not name' : undefined;
}

/** What a service account's username consists of, and its groups' names: `*@example.com` is none. */
const SERVICE_ACCOUNT_CHARACTERS = /^[-a-z0-9.:*]*$/;

/** Tells whether a glob matches what begins with `start` and goes on with the name of any namespace. */
function leavesNamespaceOpen(glob: string, start: string): boolean {
  const star = glob.indexOf('*');
  if (star === -1 || !SERVICE_ACCOUNT_CHARACTERS.test(glob)) return false;
  const fixed = glob.slice(0, star);
  if (fixed.length <= start.length) return start.startsWith(fixed);
  return fixed.startsWith(start) && !fixed.slice(start.length).includes(':');
}

/** Finds usernames that look like a service account's and are none, so that they would exempt nobody. */
export function wrongServiceAccounts(document: JsonValue): PolicyProblem[] {
  return textsAt(document, USERNAME_PLACES)
    .filter(({ value }) => LIKE_A_SERVICE_ACCOUNT.test(value) && !SERVICE_ACCOUNT_USERNAME.test(value))
    .map(({ path, value }) => ({
      path,
      isAtKey: false,
      text: `${JSON.stringify(value)} is not the username of a service account; write it as in "system:serviceaccount:NAMESPACE:NAME"`,
    }));
}

const LIKE_A_SERVICE_ACCOUNT = /^(?:system:)?serviceaccounts?[:/]/i;
const SERVICE_ACCOUNT_USERNAME = /^system:serviceaccount:[-a-z0-9]*(?:\*|:[-a-z0-9*])[-a-z0-9.:*]*$/;
