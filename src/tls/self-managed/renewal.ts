import { isValidAt, type KeyPair } from '../certificate.ts';
import type { CertificateSource } from '../certificate-reload.ts';
import type { Logger } from '../../telemetry/log.ts';
import { advance } from './advance.ts';
import { ApiError } from './api-client.ts';
import type { SecretStore } from './secret-store.ts';
import { certificatesOf } from '../pem.ts';
import { readState, trustedBy, writeState, type FoundState, type SecretData, type State } from './state.ts';
import type { Trust, WebhookTrust } from './webhook-trust.ts';

/** While nothing is due. It bounds how long a deleted Secret or an overwritten caBundle goes unnoticed. */
const SETTLED_POLL_MS = 10_000;
/** While something is under way, or fails. */
const UNSETTLED_POLL_MS = 2_000;
/**
 * How long after the caBundle is seen to hold an authority its leaf is served: each API server learns by a watch of what
 * is stored. Kubernetes' own tests wait as long (test/integration/apiserver/admissionwebhook/broken_webhook_test.go).
 */
export const PROPAGATION_MS = 10_000;

export interface RenewalOptions {
  readonly store: SecretStore;
  readonly trust: WebhookTrust;
  /** The names of the Service, the first one the one that the API server asks for. */
  readonly dnsNames: readonly string[];
  /** The API server's time. */
  readonly now: () => Date;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Logger;
}

/** What a replica serves, and the authority that it is trusted by. */
interface Served {
  readonly pair: KeyPair;
  readonly ca: string;
}

/**
 * Creates the source of a certificate that replicas issue to themselves and renew, without a leader: each one does what
 * is due, the Secret's resourceVersion lets one of them win, and the others read what it wrote.
 */
export function createRenewal(options: RenewalOptions): CertificateSource {
  const { trust, dnsNames, now, random } = options;
  let served: Served | undefined;
  let isTrusted = false;
  let isSettled = false;

  const renew = async (): Promise<KeyPair | undefined> => {
    isSettled = false;
    // The caBundle before the Secret: what is published is then never older than what somebody else has published since.
    const seen = await trust.read();
    isTrusted = served !== undefined && seen.certs.includes(served.ca);
    const state = await agree(options, seen, servedAuthority(served, now()));
    if (state === undefined) return served?.pair;

    const isPublished = await publish(options, seen, trustedBy(state));
    if (isServable(state, now())) {
      served = servedIn(state);
      isTrusted = seen.certs.includes(served.ca);
    }
    isSettled = isPublished && served?.pair.cert === state.leaf.cert;
    return served?.pair;
  };

  return {
    keyPair: undefined,
    renew,
    // Replicas that were started together part.
    delayMs: () => (isSettled ? SETTLED_POLL_MS : UNSETTLED_POLL_MS) * (0.75 + 0.5 * random()),
    now,
    checks: [
      {
        name: 'trust',
        problem: () =>
          isTrusted ? undefined : `the caBundle does not contain the CA of the certificate for ${dnsNames[0] ?? ''}`,
      },
    ],
  };
}

/**
 * Reads the state and brings it up to date. Returns undefined where another replica was faster: the next poll reads the state again.
 *
 * @throws ApiError where the caBundle is not ours to write
 */
async function agree(
  { store, dnsNames, now, log }: RenewalOptions,
  { certs: trusted, objection }: Trust,
  served: string | undefined,
): Promise<State | undefined> {
  if (objection !== undefined) throw new ApiError(objection);
  const stored = await store.read();
  if (stored === undefined) {
    log.warn('Secret not found; creating it');
    await store.create();
    return undefined;
  }
  const found = readState(stored.data, dnsNames, now());
  if (found.problems.length > 0) log.warn({ problems: found.problems }, 'Secret is damaged; repairing it');
  const state = await advance(found, { now: now(), dnsNames, trusted, served });
  const data = writeState(state);
  if (isSame(data, stored.data)) return state;
  if (!(await store.write(stored, data))) return undefined;
  logNew(log, found, state);
  return state;
}

function logNew(log: Logger, found: FoundState, { ca, leaf }: State): void {
  if (ca.cert !== found.ca?.cert) log.info('certificate authority created');
  if (leaf.cert !== found.leaf?.cert) log.info({ notAfter: leaf.notAfter.toISOString() }, 'certificate issued');
}

/** Has authorities trusted. Returns whether they were already when the caBundle was read. */
async function publish({ trust, log }: RenewalOptions, seen: Trust, wanted: readonly string[]): Promise<boolean> {
  const isPublished = wanted.length === seen.certs.length && wanted.every((cert) => seen.certs.includes(cert));
  if (!isPublished && (await trust.publish(seen, wanted))) {
    log.info({ webhooks: seen.webhooks, authorities: wanted.length }, 'caBundle published');
  }
  return isPublished;
}

function servedIn({ ca, leaf }: State): Served {
  const [authority = ''] = certificatesOf(ca.cert);
  return { pair: leaf, ca: authority };
}

/** An authority whose leaf has expired need not be trusted for its sake. */
function servedAuthority(served: Served | undefined, now: Date): string | undefined {
  return served !== undefined && isValidAt(served.pair, now) ? served.ca : undefined;
}

function isServable({ ca: { publishedAt } }: State, now: Date): boolean {
  return publishedAt !== undefined && publishedAt.getTime() + PROPAGATION_MS <= now.getTime();
}

function isSame(one: SecretData, other: SecretData): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}
