import { setTimeout as delay } from 'node:timers/promises';
import { create, jobNamed, mergePatch, TF_JOB, workers } from '../apiserver/jobs.ts';
import type { Cluster } from '../../tools/node/cluster.ts';
import type { Answer, Username } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import type { Release } from './release.ts';

/** What one kind of request is answered where all is well. */
export interface Kind {
  readonly name: string;
  /** Who asks, if not the administrator. */
  readonly as?: Username;
  /** What is asked of the job, if not the job itself: `status`. */
  readonly subresource?: string;
  /** The patch; `turn` counts the requests, so that each is a change. */
  readonly patch: (turn: number) => object;
  readonly isRight: (answer: Answer) => boolean;
}

const DENIAL = /^admission webhook "[^"]+" denied the request: tfjobs\.kubeflow\.org "[^"]+" may not be updated: /;

const isStored = ({ status }: Answer): boolean => status === 200;

const LABEL: Kind = {
  name: 'label, nobody asked',
  patch: (turn) => ({ metadata: { labels: { turn: String(turn) } } }),
  isRight: isStored,
};
/** Negative, so that a warning is due and the API server asks; of a job that does not end nobody reads it. */
const TTL: Kind = {
  name: 'negative TTL, asked and allowed',
  patch: (turn) => ({ spec: { runPolicy: { ttlSecondsAfterFinished: -1 - turn } } }),
  isRight: isStored,
};
const REPLICAS: Kind = {
  name: 'replicas, asked and refused',
  patch: (turn) => workers(TF_JOB, turn + 3),
  isRight: ({ status, json }) => status === 403 && DENIAL.test(String(at(json, 'message'))),
};

/** Every kind; two of three ask the webhook. */
export const GUARDED_TRAFFIC: readonly Kind[] = [LABEL, TTL, REPLICAS];
/** What goes on where no webhook is. */
export const ALLOWED_TRAFFIC: readonly Kind[] = [LABEL, TTL];

/** What became of the requests so far. */
export interface Tally {
  readonly sent: number;
  /** How many were answered as they should be, by kind. */
  readonly right: Readonly<Record<string, number>>;
  /** The others, each with when it was sent, in which phase, and what came back. */
  readonly wrong: readonly string[];
  /** Likewise those for which the API server got no answer from the webhook in a phase that may lose some. They are not wrong. */
  readonly lost: readonly string[];
  readonly slowestMs: number;
  /** How many were sent a second, in fact. */
  readonly perSecond: number;
}

/** A steady stream of updates; its jobs go when it is disposed of. */
export interface Traffic extends AsyncDisposable {
  /** Names what happens meanwhile, for the report, and how many requests it may lose: none by default. */
  phase: (name: string, mayLose?: number) => void;
  tally: () => Tally;
  /** Goes on until so many were sent, stops, waits for every answer, and looks at what is stored. */
  finish: (sentAtLeast?: number) => Promise<Tally>;
}

interface Stream {
  readonly prefix: string;
  /** What its jobs have beside what `jobNamed` gives them. */
  readonly job?: Parameters<typeof jobNamed>[2];
  readonly kinds: readonly Kind[];
  readonly perSecond: number;
  /** When it stops by itself: a test that jest has given up on stops nothing. */
  readonly longestMs?: number;
}

/** More than requests in flight, so that a job has been answered before its next turn. */
const JOBS = 60;
/** How many requests wait for their answers at most: more would only queue up in an API server that is short of processors. */
export const IN_FLIGHT = 20;
/** As many as `jobNamed` gives a job. */
const WORKERS = 2;
/** No test takes longer. */
const LONGEST_MS = 1_800_000;
/** Above the API server's own patience with a webhook. */
const TIMEOUT_MS = 30_000;

/** What an API server says whose call to a webhook broke off. */
const NOT_ASKED = /^500 Internal error occurred: failed calling webhook /;

/** Waits until a job is guarded: where a Service is new, kube-proxy hears of its pods a moment after they are ready. */
async function inForce(cluster: Cluster, job: string): Promise<void> {
  await eventually('the guard to be in force', async () => {
    const answer = await mergePatch(cluster, `${job}?dryRun=All`, REPLICAS.patch(0));
    return REPLICAS.isRight(answer) || undefined;
  });
}

/** Sends merge patches to jobs of its own at a steady rate, whether or not the last ones were answered, up to a limit. */
export async function startTraffic(cluster: Cluster, stream: Stream): Promise<Traffic> {
  const { prefix, job, kinds, perSecond, longestMs = LONGEST_MS } = stream;
  const jobs = await Promise.all(
    Array.from({ length: JOBS }, (_, index) => create(cluster, TF_JOB, jobNamed(`${prefix}-${index}`, TF_JOB, job))),
  );
  if (kinds.includes(REPLICAS)) await inForce(cluster, jobs[0] ?? '');
  const right = Object.fromEntries(kinds.map(({ name }) => [name, 0]));
  const wrong: string[] = [];
  const lost: string[] = [];
  const unanswered = new Set<Promise<void>>();
  const startedAt = performance.now();
  let [sent, slowestMs] = [0, 0];
  let phase = { name: 'start', mayLose: 0 };
  let [target, dueAt] = [Infinity, startedAt];

  const sendOne = async (turn: number, kind: Kind): Promise<void> => {
    const [sentAt, during] = [performance.now(), phase];
    const outcome = await answerTo(cluster, jobs[turn % JOBS] ?? '', kind, turn);
    const tookMs = performance.now() - sentAt;
    slowestMs = Math.max(slowestMs, tookMs);
    if (typeof outcome !== 'string' && kind.isRight(outcome)) {
      right[kind.name] = (right[kind.name] ?? 0) + 1;
      return;
    }
    const told = typeof outcome === 'string' ? outcome : `${outcome.status} ${String(at(outcome.json, 'message'))}`;
    const isLost = during.mayLose > 0 && NOT_ASKED.test(told);
    if (isLost) during.mayLose -= 1;
    (isLost ? lost : wrong).push(
      `${((sentAt - startedAt) / 1000).toFixed(1)} s, ${during.name}, ${kind.name}, ${tookMs.toFixed(0)} ms: ${told}`,
    );
  };
  const sending = (async (): Promise<void> => {
    while (sent < target && performance.now() - startedAt < longestMs) {
      // What is late stays late: catching up would be a burst.
      dueAt = Math.max(dueAt + 1000 / perSecond, performance.now());
      await delay(Math.max(0, dueAt - performance.now()));
      while (unanswered.size >= IN_FLIGHT) await Promise.race(unanswered);
      const kind = kinds[(sent + Math.floor(sent / JOBS)) % kinds.length];
      if (kind === undefined) return;
      const one = sendOne(sent, kind).finally(() => unanswered.delete(one));
      unanswered.add(one);
      sent += 1;
    }
  })();
  const tally = (): Tally => ({
    sent,
    right: { ...right },
    wrong,
    lost,
    slowestMs: Math.round(slowestMs),
    perSecond: Math.round((sent * 1000) / (performance.now() - startedAt)),
  });
  return {
    phase: (name, mayLose = 0) => {
      phase = { name, mayLose };
    },
    tally,
    finish: async (sentAtLeast = 0) => {
      target = Math.max(sent, sentAtLeast);
      await sending;
      await Promise.all(unanswered);
      wrong.push(...(await wronglyStored(cluster, jobs)));
      return tally();
    },
    [Symbol.asyncDispose]: async () => {
      target = 0;
      await sending;
      await Promise.all(unanswered);
      await Promise.all(jobs.map((job) => cluster.request('DELETE', job)));
    },
  };
}

/** Has something happen in a phase that may lose some requests, by default none. */
export type During = (phase: string, happens: () => Promise<void>, mayLose?: number) => Promise<void>;

/** Returns what names a phase, waits until all is settled after what happens in it, and prints what became of requests meanwhile. */
export function meanwhile(traffic: Traffic, release: Release): During {
  return async (phase, happens, mayLose) => {
    const { sent, wrong, lost } = traffic.tally();
    const [wrongBefore, lostBefore] = [wrong.length, lost.length];
    const startedAt = performance.now();
    traffic.phase(phase, mayLose);
    await happens();
    await release.settled();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    const now = traffic.tally();
    const failed = now.wrong.length - wrongBefore;
    process.stdout.write(
      `${phase}: ${seconds} s, ${now.sent - sent} sent, ${failed} failed, ${now.lost.length - lostBefore} lost\n`,
    );
  };
}

/** Whatever was answered: says which jobs have another number of workers than they were created with. */
async function wronglyStored(cluster: Cluster, jobs: readonly string[]): Promise<string[]> {
  const stored = await Promise.all(jobs.map(async (job) => [job, (await cluster.request('GET', job)).json] as const));
  return stored
    .map(([job, json]) => [job, at(json, 'spec', 'tfReplicaSpecs', 'Worker', 'replicas')] as const)
    .filter(([, replicas]) => replicas !== WORKERS)
    .map(([job, replicas]) => `stored: ${job} has ${String(replicas)} workers`);
}

async function answerTo(cluster: Cluster, job: string, kind: Kind, turn: number): Promise<Answer | string> {
  const path = kind.subresource === undefined ? job : `${job}/${kind.subresource}`;
  const late = new AbortController();
  try {
    return await Promise.race([
      mergePatch(cluster, path, kind.patch(turn), kind.as),
      delay(TIMEOUT_MS, `no answer within ${TIMEOUT_MS} ms`, { signal: late.signal }),
    ]);
  } catch (error) {
    return String(error);
  } finally {
    late.abort();
  }
}
