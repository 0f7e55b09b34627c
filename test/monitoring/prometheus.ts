import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, start, type Finished } from '../../tools/child-process.ts';
import { eventually } from '../../tools/eventually.ts';
import { freePort } from '../../tools/free-port.ts';
import { at } from '../../tools/json-at.ts';

/**
 * Checks that Prometheus, promtool and jq can be started.
 *
 * @throws Error that names the one that cannot
 */
export async function requirePrometheus(): Promise<void> {
  for (const program of ['prometheus', 'promtool', 'jq']) {
    const { code } = await run('sh', ['-c', `${program} --version`]);
    if (code !== 0) throw new Error(`There is no ${program}; on Debian: apt-get install prometheus jq`);
  }
}

/** Runs promtool to its end in a folder with the given files. */
export async function promtool(
  args: readonly string[],
  { files = {}, stdin = '' }: { files?: Readonly<Record<string, unknown>>; stdin?: string } = {},
): Promise<Finished> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-promtool-'));
  try {
    // Prometheus reads YAML, of which JSON is a part.
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(content));
    return await run('promtool', args, { cwd: folder, stdin });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A running Prometheus. */
export interface Prometheus extends AsyncDisposable {
  /** Asks its HTTP API, `query?query=up` for example, and returns the answer's `data`. */
  ask: (path: string) => Promise<unknown>;
}

/** Starts a Prometheus with a configuration and files that this names, and returns once it answers. */
export async function startPrometheus(config: object, files: Readonly<Record<string, string>>): Promise<Prometheus> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-prometheus-'));
  undo.defer(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const configFile = join(folder, 'prometheus.yaml');
  await writeFile(configFile, JSON.stringify(config));
  const port = await freePort();
  const program = start('prometheus', [
    ...[`--config.file=${configFile}`, `--storage.tsdb.path=${join(folder, 'data')}`],
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  undo.defer(program.stop);
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const answer: unknown = await response.json();
    if (at(answer, 'status') !== 'success') throw new Error(`Prometheus, asked ${path}: ${JSON.stringify(answer)}`);
    return at(answer, 'data');
  };
  await eventually('Prometheus', async () => {
    if (program.exitCode() !== null) throw new Error(program.output());
    return ask('status/buildinfo').catch(() => undefined);
  });
  const running = undo.move();
  return { ask, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
