import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import { goProgram } from '../../tools/go/program.ts';

/** What the API server's own library says of one update. */
export interface Evaluation {
  /** `numbers`: the review has a number that an API server does not hold as it is written. */
  readonly result: 'asked' | 'not asked' | 'numbers' | `error: ${string}`;
  /** In the API server's own unit; 0 where nothing was evaluated. */
  readonly cost: number;
}

/** How many reviews go to the program at once: some 40 MB of text. */
const REVIEWS_A_RUN = 2000;
const TIMEOUT_MS = 300_000;

/** Returns the path of the program that evaluates matchConditions, which is built the first time. */
export function matchConditionProgram(): Promise<string> {
  return goProgram(join(import.meta.dirname, '../../tools/match-condition'));
}

/** The versions of Kubernetes from the oldest that the chart takes to that of the library. */
export const KUBERNETES_VERSIONS = ['1.30', '1.31', '1.32', '1.33', '1.34', '1.35', '1.36', '1.37'] as const;

export type KubernetesVersion = (typeof KUBERNETES_VERSIONS)[number];

/**
 * Evaluates an expression for AdmissionReviews, each as JSON text without a line break, in the CEL environment of a version
 * of Kubernetes.
 *
 * @throws Error if the expression does not compile
 */
export async function evaluate(
  expression: string,
  reviews: readonly string[],
  kubernetesVersion: KubernetesVersion = '1.30',
): Promise<Evaluation[]> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-condition-'));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, 'expression.cel');
  await writeFile(file, expression);
  const program = await matchConditionProgram();
  const evaluations: Evaluation[] = [];
  for (let first = 0; first < reviews.length; first += REVIEWS_A_RUN) {
    const stdin = reviews.slice(first, first + REVIEWS_A_RUN).map((review) => `${review}\n`);
    const { code, stdout, stderr } = await run(program, [kubernetesVersion, file], {
      stdin: stdin.join(''),
      timeoutMs: TIMEOUT_MS,
    });
    if (code !== 0) throw new Error(stderr);
    evaluations.push(...stdout.trimEnd().split('\n').map(evaluationOf));
  }
  return evaluations;
}

function evaluationOf(line: string): Evaluation {
  const [, result = line, cost = 0] = /^(asked|not asked) (\d+)$/.exec(line) ?? [];
  if (result === 'asked' || result === 'not asked' || result === 'numbers') return { result, cost: Number(cost) };
  return { result: `error: ${line}`, cost: 0 };
}
