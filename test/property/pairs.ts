/**
 * Judges many made-up pairs of old and new jobs with jobguard and with the naive judge, and compares the verdicts:
 *
 *     npm run pairs -- --count 1000000 [--seed N] [--threads N] [--policy default|presets|own]
 *
 * Prints its counts and its seed. At the first mismatch it prints the pair and the command that shows it again, and
 * exits with 1; with 2 for flags that it does not know.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Run } from './judged-pairs.ts';
import { JOBS, judgePairs, outcomeShares } from './judge-pairs.ts';

/** Pairs of one run: a worker judges them in some twenty seconds, so that a mismatch is soon told. */
const PAIRS_A_RUN = 10_000;
const LARGEST_SEED = 2 ** 31;
const COMMAND = 'npm run pairs --';

interface Flags {
  readonly count: number;
  readonly seed: number;
  readonly threads: number;
  readonly policies: readonly Run['policy'][];
}

function readFlags(): Flags {
  const random = Math.floor(Math.random() * LARGEST_SEED);
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(random) },
      threads: { type: 'string', default: String(availableParallelism()) },
      policy: { type: 'string' },
    },
  });
  const policies = Object.keys(JOBS).filter((name): name is Run['policy'] => name in JOBS);
  const chosen = policies.filter((name) => values.policy === undefined || values.policy === name);
  if (chosen.length === 0) throw new Error(`--policy must be one of ${policies.join(', ')}`);
  return {
    count: wholeNumber('--count', values.count, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    threads: wholeNumber('--threads', values.threads, 1),
    policies: chosen,
  };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`${flag} must be a whole number from ${least} up`);
  return number;
}

/** Cuts the pairs into runs, each with the next seed and the next policy. */
function* runs({ count, seed, policies }: Flags): Generator<Run, undefined> {
  for (let done = 0, index = 0; done < count; done += PAIRS_A_RUN, index += 1) {
    const policy = policies[index % policies.length] ?? 'default';
    yield {
      policy,
      jobs: JOBS[policy],
      pairs: Math.min(PAIRS_A_RUN, count - done),
      seed: (seed + index) % LARGEST_SEED,
    };
  }
}

/** What has been judged so far. */
interface Tally {
  pairs: number;
  mismatches: number;
  readonly seen: Map<string, number>;
}

/** Judges one run after another, until there is none left or there was a mismatch. */
async function work(queue: Iterator<Run, undefined>, tally: Tally): Promise<void> {
  for (let next = queue.next(); next.done !== true && tally.mismatches === 0; next = queue.next()) {
    const run = next.value;
    const { failure, seen } = await judgePairs(run);
    if (failure !== undefined) {
      tally.mismatches += 1;
      const again = `${COMMAND} --policy ${run.policy} --seed ${run.seed} --count ${run.pairs}`;
      process.stdout.write(`MISMATCH under the policy "${run.policy}"\n${failure}\n\nto see it again: ${again}\n`);
      return;
    }
    tally.pairs += run.pairs;
    for (const [key, times] of seen) tally.seen.set(key, (tally.seen.get(key) ?? 0) + times);
  }
}

async function main(flags: Flags): Promise<number> {
  const started = performance.now();
  const queue = runs(flags);
  const tally: Tally = { pairs: 0, mismatches: 0, seen: new Map() };
  await Promise.all(Array.from({ length: flags.threads }, () => work(queue, tally)));
  const seconds = Math.round((performance.now() - started) / 1_000);
  process.stdout.write(
    `${tally.pairs} pairs judged alike in ${seconds} s, seed ${flags.seed}, mismatches: ${tally.mismatches}; ` +
      `${outcomeShares(Math.max(tally.pairs, 1), tally.seen)} of mutated jobs\n`,
  );
  return tally.mismatches === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(readFlags());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
