import { afterAll, beforeAll, describe } from '@jest/globals';
import { openCluster, type Cluster } from '../cluster/cluster.ts';
import { loadImages } from '../cluster/load-images.ts';
import { withoutReplicas } from './no-replicas.ts';
import { restartsNobodyNotices } from './restarts.ts';
import { ARCHIVE, NO_CLUSTER } from './setup.ts';
import { tlsModes } from './tls-modes.ts';
import { trainingOperator } from './training-operator.ts';

const CLUSTER_TIMEOUT_MS = 300_000;

/** One file, so that its parts follow each other: there is one node, and jobguard guards all of it. */
const describeOnNode = process.env[NO_CLUSTER] === undefined ? describe : describe.skip;

describeOnNode('on a node', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await openCluster();
    await loadImages(cluster.loadCommand, process.env[ARCHIVE] ?? '');
  }, CLUSTER_TIMEOUT_MS);
  afterAll(() => cluster.stop(), CLUSTER_TIMEOUT_MS);

  describe('each TLS mode', () => tlsModes(() => cluster));
  describe('restarts that nobody notices', () => restartsNobodyNotices(() => cluster));
  describe('an outage', () => withoutReplicas(() => cluster));
  describe('the operator', () => trainingOperator(() => cluster));
});
