import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { startGuardedCluster, WEBHOOK_NAME, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, PYTORCH_JOB, TF_JOB, workers, type JobKind } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

const COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

/** It tries a strategic merge patch first, which no custom resource takes, and again when it comes too late. */
const RETRIED = new Set<unknown>([415, 409]);

describeWithControlPlane('a real garbage collector', () => {
  let cluster: GuardedCluster;

  beforeAll(async () => {
    cluster = await startGuardedCluster('training-operator 1.9');
    await cluster.startControllerManager();
  });
  afterAll(() => cluster.stop());

  /** Creates a ConfigMap and returns the reference to it as an owner. */
  const configMap = async (name: string, ownerReferences: unknown[] = []): Promise<unknown> => {
    const answer = await cluster.request('POST', CONFIG_MAPS, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ownerReferences } },
    });
    return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: at(answer.json, 'metadata', 'uid') };
  };

  const deleteConfigMap = (name: string, cascade: string): Promise<unknown> =>
    cluster.kubectl(['delete', 'configmap', name, `--cascade=${cascade}`, '--timeout=30s']);

  const ownedBy = (of: JobKind, name: string, ownerReferences: unknown[]): Promise<string> =>
    create(cluster, of, jobNamed(name, of, { metadata: { ownerReferences } }));

  const ownerReferences = async (path: string): Promise<unknown> =>
    at((await cluster.request('GET', path)).json, 'metadata', 'ownerReferences');

  const gone = (path: string): Promise<true> =>
    eventually(`${path} to be gone`, async () =>
      (await cluster.request('GET', path)).status === 404 ? true : undefined,
    );

  /** Waits until the collector has patched the job so often, and returns what jobguard thought of each patch. */
  const patches = (of: JobKind, name: string, count: number): Promise<unknown[]> =>
    eventually(`${count} patches of ${name}`, async () => {
      const found = (await cluster.auditTrail(of.plural, name))
        .filter(({ user, verb, code }) => user === COLLECTOR && verb === 'patch' && !RETRIED.has(code))
        .map(({ code, annotations }) => ({
          code,
          decision: at(annotations, `${WEBHOOK_NAME}/decision`),
          exemption: at(annotations, `${WEBHOOK_NAME}/exemption`),
        }));
      return found.length >= count ? found : undefined;
    });

  const EXEMPT = { code: 200, decision: 'exempt', exemption: 'garbageCollector' };

  describe.each([TF_JOB, PYTORCH_JOB])('and a $kind', (of) => {
    const named = (name: string): string => `${of.plural}-${name}`;

    test('takes a deleted owner off it (kubectl delete --cascade=orphan of the owner)', async () => {
      const owner = named('owner');
      const job = await ownedBy(of, named('orphaned'), [await configMap(owner)]);
      await deleteConfigMap(owner, 'orphan');
      await gone(`${CONFIG_MAPS}/${owner}`);
      expect(await ownerReferences(job)).toBeUndefined();
      expect(await patches(of, named('orphaned'), 1)).toEqual([EXEMPT]);
    });

    test('leaves it the other one of two owners', async () => {
      const [first, second] = [await configMap(named('first')), await configMap(named('second'))];
      const job = await ownedBy(of, named('shared'), [first, second]);
      await deleteConfigMap(named('first'), 'background');
      expect(await patches(of, named('shared'), 1)).toEqual([EXEMPT]);
      expect(await ownerReferences(job)).toEqual([second]);
    });

    test.each(['background', 'foreground'])('deletes it with its owner (--cascade=%s)', async (cascade) => {
      const owner = named(`owner-${cascade}`);
      const job = await ownedBy(of, named(`owned-${cascade}`), [await configMap(owner)]);
      await deleteConfigMap(owner, cascade);
      await Promise.all([gone(job), gone(`${CONFIG_MAPS}/${owner}`)]);
    });

    test.each([
      { cascade: 'background', dependent: 'goes', count: 0 },
      { cascade: 'foreground', dependent: 'goes', count: 1 },
      { cascade: 'orphan', dependent: 'stays', count: 1 },
    ])('lets it go and what it owns $dependent (--cascade=$cascade)', async ({ cascade, dependent, count }) => {
      const name = named(`owner-${cascade}`);
      const job = await create(cluster, of, jobNamed(name, of));
      const uid = at((await cluster.request('GET', job)).json, 'metadata', 'uid');
      await configMap(`of-${name}`, [{ apiVersion: 'kubeflow.org/v1', kind: of.kind, name, uid }]);

      const args = ['delete', of.plural, name, `--cascade=${cascade}`, '--timeout=30s'];
      const deleted = await cluster.kubectl(args);
      expect(deleted.code).toBe(0);
      await gone(job);
      if (dependent === 'goes') await gone(`${CONFIG_MAPS}/of-${name}`);
      else expect(await ownerReferences(`${CONFIG_MAPS}/of-${name}`)).toBeUndefined();
      // The last patch takes the collector's own finalizer off a terminating job, as any writer may.
      const expected = Array.from({ length: count }, () => ({ code: 200, decision: 'allow', exemption: undefined }));
      expect(await patches(of, name, count)).toEqual(expected);
    });

    test('does for it what nobody else may', async () => {
      const owner = await configMap(named('kept-owner'));
      const job = await ownedBy(of, named('kept'), [owner]);
      const answer = await mergePatch(cluster, job, { metadata: { ownerReferences: null } }, 'alice');
      expect([answer.status, await ownerReferences(job)]).toEqual([403, [owner]]);
    });

    test('is waited for no longer once the finalizers are off; the spec stays what it was', async () => {
      const job = await create(
        cluster,
        of,
        jobNamed(named('held'), of, { metadata: { finalizers: ['test.org/hold'] } }),
      );
      await cluster.request('DELETE', job);
      const release = { metadata: { finalizers: null } };
      const denied = await mergePatch(cluster, job, { ...release, ...workers(of, 4) }, 'alice');
      const released = await mergePatch(cluster, job, release, 'alice');
      expect([denied.status, released.status]).toEqual([403, 200]);
      await gone(job);
    });
  });
});
