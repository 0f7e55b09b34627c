import { expect, test } from '@jest/globals';
import type { Cluster } from '../../tools/node/cluster.ts';
import { breakPolicy, changePolicy, deleteByForce, drain, restart, rotate, type Disturbed } from './disturbances.ts';
import { install, issue, SECRET, type Serving } from './release.ts';
import { MEMORY_LIMIT_MIB, resourcesOf } from './resources.ts';
import { GUARDED_TRAFFIC, meanwhile, startTraffic } from './traffic.ts';

const REQUESTS = 20_000;
const PER_SECOND = 100;
const NAME = 'jobguard-restarts';
/** Nine times as long as the requests take on a machine that has nothing else to do. */
const TIMEOUT_MS = 9 * (REQUESTS / PER_SECOND) * 1000;

/** What users never notice. */
export function restartsNobodyNotices(cluster: () => Cluster): void {
  test(
    `0 of ${REQUESTS} updates fail over restarts, upgrades, evictions and rotations, and few where a pod is deleted by force`,
    async () => {
      const first = await issue(cluster(), NAME, 100);
      await cluster().kubectl(['create', 'namespace', NAME]);
      await first.store();
      await using release = await install(cluster(), NAME, {
        tls: { mode: 'existingSecret', existingSecret: { name: SECRET, caBundle: first.ca } },
      });
      await using traffic = await startTraffic(cluster(), {
        prefix: NAME,
        kinds: GUARDED_TRAFFIC,
        perSecond: PER_SECOND,
      });
      await everything({ cluster: cluster(), release, during: meanwhile(traffic, release) }, first);
      traffic.phase('afterwards');
      const { sent, right, wrong, lost, slowestMs, perSecond } = await traffic.finish(REQUESTS);
      const resources = await resourcesOf(cluster(), release);
      say(
        `${sent} PATCHes, ${perSecond} a second, ${JSON.stringify(right)}, ${wrong.length} failed, ${lost.length} lost, slowest ${slowestMs} ms`,
        ...[...wrong, ...lost].slice(0, 20),
        `pods: ${JSON.stringify(resources)}, memory limit ${MEMORY_LIMIT_MIB} MiB`,
      );
      expect({ wrong, answered: Object.values(right).reduce((sum, each) => sum + each, 0) }).toEqual({
        wrong: [],
        answered: sent - lost.length,
      });
      expect(sent).toBeGreaterThanOrEqual(REQUESTS);
      for (const { startToReadyS, peakMemoryMib, restarts } of resources) {
        expect(startToReadyS).toBeLessThanOrEqual(10);
        expect(peakMemoryMib).toBeLessThan(MEMORY_LIMIT_MIB);
        expect(restarts).toBe(0);
      }
    },
    TIMEOUT_MS,
  );
}

/** Does to a release all that it should outlive, and prints what became of the requests meanwhile. */
async function everything(disturbed: Disturbed, first: Serving): Promise<void> {
  for (const turn of [1, 2, 3]) await restart(disturbed, turn);
  await changePolicy(disturbed);
  await breakPolicy(disturbed);
  await deleteByForce(disturbed);
  await drain(disturbed);
  let serving = first;
  for (const turn of [1, 2, 3]) serving = await rotate(disturbed, serving, turn);
}

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n  ')}\n`);
}
