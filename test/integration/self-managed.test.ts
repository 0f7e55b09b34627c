import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';

import { validityProblem } from '../../src/tls/certificate.ts';
import { LEAF_LIFETIME_MS } from '../../src/tls/self-managed/authority.ts';
import { certificatesOf } from '../../src/tls/pem.ts';
import { createAuthority } from '../../tools/certificates.ts';
import { isTrusted, simulateCluster, type Replica, type SimulatedCluster } from './simulated-cluster.ts';

jest.setTimeout(60_000);

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let cluster: SimulatedCluster;
beforeEach(() => {
  cluster = simulateCluster();
});

/** Polls every two seconds until each replica serves what the Secret holds, and fails where one is ever distrusted. */
async function settle(...replicas: Replica[]): Promise<number> {
  for (let polls = 1; polls <= 30; polls += 1) {
    for (const replica of replicas) {
      await replica.poll();
      expectTrusted(...replicas);
    }
    const isDone = replicas.every((replica) => replica.served()?.cert === cluster.secret?.['tls.crt']);
    if (isDone && replicas.every((replica) => replica.problems().length === 0)) return polls;
    cluster.pass(2 * SECOND_MS);
  }
  throw new Error('the replicas do not settle');
}

function expectTrusted(...replicas: Replica[]): void {
  for (const replica of replicas) {
    const pair = replica.served();
    if (pair !== undefined) expect(isTrusted(cluster, pair)).toBe(true);
  }
}

const authorities = (): number => certificatesOf(cluster.caBundle).length;
const leaf = (replica: Replica): X509Certificate => new X509Certificate(replica.served()?.cert ?? '');

describe('a first start', () => {
  test('ends in a certificate for the Service that the API server trusts', async () => {
    const replica = cluster.replica();
    expect(replica.problems()).toEqual(['the caBundle does not contain the CA of the certificate for jobguard.ns.svc']);
    await settle(replica);
    const certificate = leaf(replica);
    const [ca = ''] = certificatesOf(cluster.caBundle);
    const authority = new X509Certificate(ca);
    expect({
      name: certificate.subjectAltName,
      key: certificate.publicKey.asymmetricKeyDetails,
      usage: certificate.keyUsage,
      isCa: certificate.ca,
      days: Math.round((certificate.validToDate.getTime() - cluster.clock.time.getTime()) / DAY_MS),
      authority: authority.ca,
      authorityYears: Math.round((authority.validToDate.getTime() - cluster.clock.time.getTime()) / DAY_MS / 365),
      authorities: authorities(),
    }).toEqual({
      name: 'DNS:jobguard.ns.svc',
      key: { namedCurve: 'prime256v1' },
      usage: ['1.3.6.1.5.5.7.3.1'],
      isCa: false,
      days: 90,
      authority: true,
      authorityYears: 10,
      authorities: 1,
    });
    expect(replica.log).toEqual(['certificate authority created', 'certificate issued', 'caBundle published']);
  });

  test('serves nothing before the caBundle is seen to hold the authority, and the API servers have had time to learn', async () => {
    const replica = cluster.replica();
    await replica.poll();
    expect([authorities(), replica.served()]).toEqual([1, undefined]);
    await replica.poll();
    cluster.pass(9 * SECOND_MS);
    await replica.poll();
    expect(replica.served()).toBeUndefined();
    cluster.pass(SECOND_MS);
    await replica.poll();
    expect(replica.served()).toBeDefined();
  });

  test.each([
    { position: 0, request: 'reading the caBundle', conflicts: 0 },
    { position: 1, request: 'reading the Secret', conflicts: 1 },
    { position: 2, request: 'writing the Secret', conflicts: 1 },
    { position: 3, request: 'publishing the caBundle', conflicts: 1 },
  ])('of two replicas, one overtaken by the other before $request, ends in one certificate', async (race) => {
    const [first, second] = [cluster.replica(), cluster.replica()];
    let requests = 0;
    cluster.before = async () => {
      requests += 1;
      if (requests - 1 !== race.position) return;
      cluster.before = () => Promise.resolve();
      await second.poll();
    };
    await first.poll();
    await settle(first, second);
    expect(first.served()).toEqual(second.served());
    expect(authorities()).toBe(1);
    expect(cluster.requests.filter((request) => request.endsWith('409'))).toHaveLength(race.conflicts);
  });

  test('asks for nothing more once settled, and seldom', async () => {
    const replica = cluster.replica();
    await settle(replica);
    expect(replica.source.delayMs()).toBe(10_000);
    cluster.requests.length = 0;
    await replica.poll();
    expect(cluster.requests).toEqual(['GET guard 200', 'GET tls 200']);
  });

  test('keeps what the API server trusted before', async () => {
    const other = simulateCluster();
    await other.replica().poll();
    cluster.caBundle = other.caBundle;
    const replica = cluster.replica();
    await settle(replica);
    expect(authorities()).toBe(2);
    expect(cluster.caBundle).toContain(other.caBundle);
  });
});

describe('renewal', () => {
  test('of the certificate is at two thirds of its life, and costs no change of authority', async () => {
    const replicas = [cluster.replica(), cluster.replica()] as const;
    await settle(...replicas);
    const [old, bundle] = [replicas[0].served(), cluster.caBundle];
    cluster.pass((LEAF_LIFETIME_MS * 2) / 3 - HOUR_MS);
    await settle(...replicas);
    expect(replicas[0].served()).toEqual(old);
    cluster.pass(2 * HOUR_MS);
    await settle(...replicas);
    expect(replicas[0].served()).not.toEqual(old);
    expect(replicas[1].served()).toEqual(replicas[0].served());
    expect(cluster.caBundle).toBe(bundle);
  });

  test('goes on for thirty years through five authorities, and never serves what is not trusted', async () => {
    const replicas = [cluster.replica(), cluster.replica()] as const;
    await settle(...replicas);
    const [leaves, seen] = [new Set<string>(), new Set<string>()];
    let most = 0;
    for (let day = 0; day < 30 * 365; day += 5) {
      cluster.pass(5 * DAY_MS);
      expectTrusted(...replicas);
      await replicas[day % 2 === 0 ? 0 : 1].poll();
      expectTrusted(...replicas);
      leaves.add(cluster.secret?.['tls.crt'] ?? '');
      for (const ca of certificatesOf(cluster.caBundle)) seen.add(ca);
      most = Math.max(most, authorities());
    }
    // 30 years in steps of 60 days, or of 6 2/3 years.
    expect({ leaves: leaves.size > 150, authorities: seen.size, atOnce: most }).toEqual({
      leaves: true,
      authorities: 5,
      atOnce: 2,
    });
  });

  test('of the authority: the next one is trusted for an hour before it issues, the last one for as long as its leaves live', async () => {
    const replica = cluster.replica();
    await settle(replica);
    const old = certificatesOf(cluster.caBundle);
    cluster.pass(6 * 365 * DAY_MS);
    await settle(replica);
    cluster.pass(0.7 * 365 * DAY_MS);
    await settle(replica);
    await settle(replica);
    const [next = '', last = ''] = certificatesOf(cluster.caBundle);
    expect([last]).toEqual(old);
    const issuedBy = (): string =>
      leaf(replica).checkIssued(new X509Certificate(next))
        ? 'next'
        : leaf(replica).checkIssued(new X509Certificate(last))
          ? 'last'
          : 'neither';
    expect(issuedBy()).toBe('last');
    cluster.pass(HOUR_MS - 10 * SECOND_MS);
    await settle(replica);
    expect(issuedBy()).toBe('last');
    cluster.pass(20 * SECOND_MS);
    await settle(replica);
    expect([issuedBy(), cluster.secret?.['next-ca.key']]).toEqual(['next', undefined]);
    cluster.pass(59 * DAY_MS);
    await settle(replica);
    expect(authorities()).toBe(2);
    cluster.pass(32 * DAY_MS);
    await settle(replica);
    expect(certificatesOf(cluster.caBundle)).toEqual([next]);
  });
});

describe('faults', () => {
  const damage: { what: string; harm: (cluster: SimulatedCluster) => void; authorities: number; says: string }[] = [
    {
      what: 'a deleted Secret',
      harm: (harmed) => (harmed.secret = undefined),
      authorities: 2,
      says: 'Secret not found; creating it',
    },
    {
      what: 'an emptied Secret',
      harm: (harmed) => (harmed.secret = {}),
      authorities: 2,
      says: 'certificate authority created',
    },
    {
      what: 'a garbled authority',
      harm: ({ secret = {} }) => (secret['ca.key'] = secret['ca.key']?.slice(0, 60) ?? ''),
      authorities: 2,
      says: 'Secret is damaged; repairing it',
    },
    {
      what: 'a garbled certificate',
      harm: ({ secret = {} }) => (secret['tls.crt'] = '-----BEGIN CERTIFICATE-----\nMIIB'),
      authorities: 1,
      says: 'Secret is damaged; repairing it',
    },
    {
      what: 'a missing key',
      harm: ({ secret = {} }) => delete secret['tls.key'],
      authorities: 1,
      says: 'Secret is damaged; repairing it',
    },
    {
      what: 'the key of another',
      harm: ({ secret = {} }) => (secret['tls.key'] = secret['ca.key'] ?? ''),
      authorities: 1,
      says: 'Secret is damaged; repairing it',
    },
    {
      what: 'a Secret that is no text',
      harm: ({ secret = {} }) => {
        for (const key of Object.keys(secret)) secret[key] = '\u0000\ufffd';
      },
      authorities: 2,
      says: 'Secret is damaged; repairing it',
    },
  ];

  test.each(damage)(
    '$what: replicas serve on, trusted throughout, and mend it',
    async ({ harm, says, authorities: count }) => {
      const replicas = [cluster.replica(), cluster.replica()] as const;
      await settle(...replicas);
      const before = replicas[0].served();
      harm(cluster);
      await settle(...replicas);
      expect(replicas[0].served()).not.toEqual(before);
      expect(authorities()).toBe(count);
      expect([...replicas[0].log, ...replicas[1].log]).toContain(says);
    },
  );

  test.each(damage)('$what, found by a replica that has just started, while another serves on', async ({ harm }) => {
    const old = cluster.replica();
    await settle(old);
    harm(cluster);
    const started = cluster.replica();
    for (let poll = 0; poll < 10; poll += 1) {
      await started.poll();
      expectTrusted(old, started);
      cluster.pass(2 * SECOND_MS);
    }
    expect(started.served()).toBeDefined();
    await settle(old, started);
  });

  test('an API server that is away for ten minutes: what is served goes on, and a replica that starts says why it is not ready', async () => {
    const replica = cluster.replica();
    await settle(replica);
    const before = replica.served();
    cluster.isAway = true;
    const started = cluster.replica();
    for (let minute = 0; minute < 10; minute += 1) {
      cluster.pass(60 * SECOND_MS);
      expect([await replica.poll(), await started.poll()]).toEqual(Array(2).fill('the API server is away'));
      expect([replica.served(), started.served()]).toEqual([before, undefined]);
      expect([replica.problems().length, started.problems().length]).toEqual([0, 1]);
    }
    expect(replica.source.delayMs()).toBe(2_000);
    cluster.isAway = false;
    await settle(replica, started);
    expect(started.served()).toEqual(before);
  });

  test('an API server that is away while the certificate falls due: it is renewed on its return', async () => {
    const replica = cluster.replica();
    await settle(replica);
    cluster.isAway = true;
    cluster.pass(89 * DAY_MS);
    await replica.poll();
    expectTrusted(replica);
    cluster.isAway = false;
    const before = replica.served();
    await settle(replica);
    expect(replica.served()).not.toEqual(before);
  });

  test.each([
    { what: 'a year ahead', clockSkewMs: 365 * DAY_MS },
    { what: 'a year behind', clockSkewMs: -365 * DAY_MS },
    { what: 'two hours ahead', clockSkewMs: 2 * HOUR_MS },
  ])('a clock that is $what: certificates go by that of the API server', async ({ clockSkewMs }) => {
    const [skewed, sound] = [cluster.replica({ clockSkewMs }), cluster.replica()];
    await settle(skewed, sound);
    expect(skewed.source.now()).toEqual(cluster.clock.time);
    expect(skewed.log.filter((line) => line.includes('clock'))).toEqual([
      "local clock is off; using the API server's time",
    ]);
    const before = sound.served();
    await settle(sound, skewed);
    expect(sound.served()).toEqual(before);
  });

  test('a clock that is set right while the API server is away: what is served stays valid', async () => {
    const replica = cluster.replica({ clockSkewMs: 3 * HOUR_MS });
    await settle(replica);
    cluster.isAway = true;
    replica.clock.skewMs = 0;
    cluster.pass(10 * SECOND_MS);
    await replica.poll();
    const now = replica.source.now();
    expect([now, validityProblem(replica.served(), now)]).toEqual([cluster.clock.time, undefined]);
  });

  test('an API server whose clock was ahead: what is not valid yet is made anew', async () => {
    const start = cluster.clock.time;
    cluster.pass(365 * DAY_MS);
    const replica = cluster.replica();
    await settle(replica);
    cluster.clock.time = start;
    const fresh = cluster.replica();
    for (let poll = 0; poll < 10; poll += 1) {
      await fresh.poll();
      await replica.poll();
      cluster.pass(2 * SECOND_MS);
    }
    expectTrusted(replica, fresh);
    expect(replica.problems()).toEqual([]);
  });

  test.each([
    { what: 'emptied', bundle: '' },
    { what: 'garbled', bundle: 'not a certificate' },
  ])('a caBundle that somebody $what is filled in again; until then no replica is ready', async ({ bundle }) => {
    const replica = cluster.replica();
    await settle(replica);
    const before = cluster.caBundle;
    cluster.caBundle = bundle;
    await replica.poll();
    expect(cluster.caBundle).toBe(before);
    expect(replica.problems()).toHaveLength(1);
    await replica.poll();
    expect(replica.problems()).toEqual([]);
  });

  test.each([
    { what: 'of another mode', annotations: { 'jobguard.dev/tls-mode': 'helm' } },
    { what: 'that says of no mode', annotations: {} },
    { what: 'without annotations', annotations: undefined },
  ])('a caBundle in a configuration $what is left alone: a replica serves on, unready, and says why', async (to) => {
    const replica = cluster.replica();
    await settle(replica);
    const { cert: ca } = await createAuthority();
    Object.assign(cluster, { annotations: to.annotations, caBundle: ca });
    cluster.requests.length = 0;
    const served = replica.served();
    expect([await replica.poll(), await replica.poll()]).toEqual([
      'not writing the caBundle: ValidatingWebhookConfiguration guard lacks the annotation jobguard.dev/tls-mode: selfManaged',
      expect.any(String),
    ]);
    expect(cluster.requests).toEqual(['GET guard 200', 'GET guard 200']);
    expect([replica.served(), cluster.caBundle]).toEqual([served, ca]);
    expect(replica.problems()).toEqual(['the caBundle does not contain the CA of the certificate for jobguard.ns.svc']);
  });

  test('a Secret that is deleted over and over does not make the caBundle grow without end', async () => {
    const replica = cluster.replica();
    for (let round = 0; round < 14; round += 1) {
      await settle(replica);
      cluster.secret = undefined;
    }
    await settle(replica);
    expect(authorities()).toBe(11);
  });

  test('replicas that race to mend a deleted Secret agree', async () => {
    const replicas = [cluster.replica(), cluster.replica(), cluster.replica()];
    await settle(...replicas);
    cluster.secret = undefined;
    await Promise.all(replicas.map((replica) => replica.poll()));
    await Promise.all(replicas.map((replica) => replica.poll()));
    await settle(...replicas);
    expect(new Set(replicas.map((replica) => replica.served()?.cert)).size).toBe(1);
    expect(authorities()).toBe(2);
  });
});
