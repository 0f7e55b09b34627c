import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { givenCluster } from '../../tools/node/cluster.ts';
import { writeJobguardArchive } from '../../tools/node/jobguard-archive.ts';
import { whyNoNode } from '../../tools/node/packages.ts';
import { crdFiles } from '../../tools/kubernetes/crds.ts';
import { helmBinary } from '../../tools/helm.ts';
import { kubernetesBinaries, nodeBinaries } from '../../tools/kubernetes/binaries.ts';
import { faketimeLibrary } from './clock.ts';
import { failInCi } from '../support/missing-layer.ts';

/** The variable by which the tests learn that there can be no cluster here. */
export const NO_CLUSTER = 'JOBGUARD_TEST_NO_CLUSTER';
/** The variable by which they learn of the image's archive, and the teardown of what to remove. */
export const ARCHIVE = 'JOBGUARD_TEST_ARCHIVE';

/** Gets once what the cluster starts from. */
export default async function setup(): Promise<void> {
  try {
    process.env[ARCHIVE] = await prepare();
  } catch (error) {
    failInCi('the tests on a node: no node here', error);
    process.env[NO_CLUSTER] = 'true';
  }
}

/** Returns an archive of the image under test, whose folder is to be removed, once everything else is there, too. */
export async function prepare(): Promise<string> {
  const problem = givenCluster() === undefined ? whyNoNode() : undefined;
  if (problem !== undefined) throw new Error(`This machine can hold no node: ${problem}`);
  faketimeLibrary();
  const archive = join(await mkdtemp(join(tmpdir(), 'jobguard-archive-')), 'jobguard.tar');
  await Promise.all([writeJobguardArchive(archive), getPrograms()]);
  return archive;
}

/** Gets what the first tests need; e2e.test.ts has the rest compiled meanwhile. */
async function getPrograms(): Promise<void> {
  await helmBinary();
  await kubernetesBinaries();
  await nodeBinaries();
  await crdFiles('training-operator 1.9');
}
