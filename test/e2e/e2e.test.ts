import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { givenCluster, openCluster, type Cluster } from '../../tools/node/cluster.ts';
import { leftovers } from '../../tools/node/leftovers.ts';
import { loadImages } from '../../tools/node/load-images.ts';
import { helmBinary } from '../../tools/helm.ts';
import { apiServerAway } from './api-server-away.ts';
import { certManagerProgram } from './cert-manager.ts';
import { withoutReplicas } from './no-replicas.ts';
import { trainingOperatorProgram } from './operator-program.ts';
import { restartsNobodyNotices } from './restarts.ts';
import { selfManagedFaults } from './self-managed.ts';
import { failInCi } from '../support/missing-layer.ts';
import { ARCHIVE, NO_CLUSTER } from './setup.ts';
import { startsBesideRoutes } from './routes.ts';
import { tlsModes } from './tls-modes.ts';
import { trainingOperator } from './training-operator.ts';

const CLUSTER_TIMEOUT_MS = 300_000;

const testOnOwnNode = givenCluster() === undefined ? test : test.skip;

/** Has what later parts need compiled, where nobody has before, while the first ones go on. Who needs it learns of a failure. */
async function compileMeanwhile(): Promise<void> {
  const programs = [(): Promise<string> => helmBinary(4), certManagerProgram, trainingOperatorProgram];
  for (const program of programs) await program().catch(() => undefined);
}

/** Opens the cluster, unless there can be none; then the tests are skipped, and in CI the one failure says why. */
async function openUnlessMissing(): Promise<Cluster | undefined> {
  if (process.env[NO_CLUSTER] !== undefined) return undefined;
  return openCluster().catch((error: unknown) => {
    failInCi('the tests on a node: no node here', error);
    return undefined;
  });
}

// Whoever was killed could not clean up.
const ofOthers = await leftovers();
/** Opened before any test is registered: a cluster that does not start is one failure, not one of each test. */
const opened = await openUnlessMissing();
/** One file, so that its parts follow each other: there is one node, and jobguard guards all of it. */
const describeOnNode = opened === undefined ? describe.skip : describe;

describeOnNode('on a node', () => {
  const cluster = (): Cluster => {
    if (opened === undefined) throw new Error('There is no cluster');
    return opened;
  };

  beforeAll(async () => {
    await loadImages(cluster().loadCommand, process.env[ARCHIVE] ?? '');
    void compileMeanwhile();
  }, CLUSTER_TIMEOUT_MS);
  afterAll(() => cluster().stop(), CLUSTER_TIMEOUT_MS);

  const outage = apiServerAway(cluster);
  describe('ten minutes without the API server', outage.begins);
  describe('an outage', () => withoutReplicas(cluster));
  describe('certificates that renew themselves', () => selfManagedFaults(cluster));
  describe('restarts that nobody notices', () => restartsNobodyNotices(cluster));
  describe('each TLS mode', () => tlsModes(cluster));
  describe('the operator', () => trainingOperator(cluster));
  describe('ten minutes without the API server', outage.ends);
  describe('the end', () => {
    testOnOwnNode(
      'of the node leaves no process, mount, cgroup, network link or folder behind',
      async () => {
        const ours = async (): Promise<string[]> => (await leftovers()).filter((each) => !ofOthers.includes(each));
        const sorts = (await ours()).map((each) => each.split(' ')[0]);
        expect(sorts).toEqual(expect.arrayContaining(['process', 'link', 'folder']));
        await cluster().stop();
        expect(await ours()).toEqual([]);
      },
      CLUSTER_TIMEOUT_MS,
    );
    startsBesideRoutes(testOnOwnNode);
  });
});
