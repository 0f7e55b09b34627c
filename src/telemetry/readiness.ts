/** One condition of being ready. */
export interface Check {
  readonly name: string;
  /** Says what is wrong; undefined: nothing. */
  readonly problem: () => string | undefined;
}

/** Runs every check and writes them the way Kubernetes' own components do. */
export function inspect(checks: readonly Check[]): { isReady: boolean; report: string } {
  const results = checks.map(({ name, problem }) => ({ name, problem: problem() }));
  const isReady = results.every(({ problem }) => problem === undefined);
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
  );
  return { isReady, report: [...lines, `readyz check ${isReady ? 'passed' : 'failed'}`, ''].join('\n') };
}
