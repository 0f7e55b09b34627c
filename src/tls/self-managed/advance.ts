import { X509Certificate } from 'node:crypto';

import { createAuthority, issueLeaf, LEAF_LIFETIME_MS } from './authority.ts';
import { certificatesOf } from '../pem.ts';
import { trustedBy, type FoundState, type PublishedAuthority, type State } from './state.ts';

/** A certificate is renewed when this share of its life is over. */
const RENEWAL_SHARE = 2 / 3;
/** How long a new authority is trusted before it issues: every API server has long learnt of it. */
export const OVERLAP_MS = 3_600_000;
/** How many retired authorities are trusted at most. Only deleting the Secret again and again makes that many. */
const MAX_RETIRED = 10;

/** What the next state depends on beside the last one. */
export interface Circumstances {
  readonly now: Date;
  readonly dnsNames: readonly string[];
  /** The certificates that the API server trusts now, canonical. */
  readonly trusted: readonly string[];
  /** The certificate of the authority whose leaf this replica serves, canonical; undefined where it serves none. */
  readonly served: string | undefined;
}

/**
 * Returns the state that should follow, equal to the last one where nothing is due.
 *
 * Whatever was trusted stays so for the life of a leaf: where the authority is lost, with a Secret that was deleted or
 * garbled, the new one does not take the trust away from replicas that serve on with a leaf of the old.
 */
export async function advance(found: FoundState, circumstances: Circumstances): Promise<State> {
  const { now, trusted, served } = circumstances;
  const repaired = await repair(found, circumstances);
  const promoted = await promote(repaired, circumstances);
  const noted = {
    ...promoted,
    ca: notePublication(promoted.ca, trusted, now),
    next: promoted.next && notePublication(promoted.next, trusted, now),
  };
  const forgotten =
    noted.retiredUntil === undefined || noted.retiredUntil <= now
      ? { ...noted, retired: [], retiredUntil: undefined }
      : noted;
  const started =
    forgotten.next === undefined && isDue(forgotten.ca.cert, now)
      ? { ...forgotten, next: { ...(await createAuthority(now)), publishedAt: undefined } }
      : forgotten;
  return served === undefined ? started : retire(started, [served], now);
}

/** Creates what is missing and renews what is due. */
async function repair(found: FoundState, { now, dnsNames, trusted }: Circumstances): Promise<State> {
  const { ca: oldCa, leaf: oldLeaf, next, retired, retiredUntil } = found;
  const ca = oldCa ?? { ...(await createAuthority(now)), publishedAt: undefined };
  const leaf = oldLeaf === undefined || isDue(oldLeaf.cert, now) ? await issueLeaf(ca, dnsNames, now) : oldLeaf;
  const state = { ca, leaf, next, retired, retiredUntil };
  return oldCa === undefined || found.problems.length > 0 ? retire(state, trusted, now) : state;
}

/** Lets the next authority issue once it was trusted for long enough. */
async function promote(state: State, { now, dnsNames }: Circumstances): Promise<State> {
  const { ca, next } = state;
  if (next?.publishedAt === undefined || now.getTime() < next.publishedAt.getTime() + OVERLAP_MS) return state;
  const leaf = await issueLeaf(next, dnsNames, now);
  return retire({ ...state, ca: next, leaf, next: undefined }, certificatesOf(ca.cert), now);
}

/** Keeps authorities trusted until the last leaf that they can have issued by now has expired. */
function retire(state: State, certs: readonly string[], now: Date): State {
  const known = trustedBy(state);
  const added = certs.filter((cert) => !known.includes(cert));
  if (added.length === 0) return state;
  return {
    ...state,
    retired: [...added, ...state.retired].slice(0, MAX_RETIRED),
    retiredUntil: new Date(now.getTime() + LEAF_LIFETIME_MS),
  };
}

function notePublication(authority: PublishedAuthority, trusted: readonly string[], now: Date): PublishedAuthority {
  const isTrusted = certificatesOf(authority.cert).every((cert) => trusted.includes(cert));
  if (!isTrusted) return { ...authority, publishedAt: undefined };
  return authority.publishedAt !== undefined && authority.publishedAt <= now
    ? authority
    : { ...authority, publishedAt: now };
}

function isDue(cert: string, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  return now.getTime() >= from + RENEWAL_SHARE * (to - from);
}
