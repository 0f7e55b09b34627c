import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from '../../tools/child-process.ts';
import { eventually } from '../../tools/eventually.ts';
import { freePort } from '../../tools/free-port.ts';
import { craneBinary, verdaccioScript } from './tools.ts';

/** A registry that listens on this machine only, and forgets everything when it is stopped. */
export interface Registry extends AsyncDisposable {
  /** `localhost:5000`: container tools speak plain HTTP with a registry of this name. */
  readonly host: string;
}

/** Starts a registry of images, charts and signatures. */
export async function startOciRegistry(): Promise<Registry> {
  const port = await freePort();
  return listening(await craneBinary(), ['registry', 'serve', '--address', `127.0.0.1:${port}`], {
    host: `localhost:${port}`,
    probe: '/v2/',
  });
}

/** Starts a registry of npm packages in a folder; whoever reaches it may publish, and it knows no other registry. */
export async function startNpmRegistry(folder: string): Promise<Registry> {
  const port = await freePort();
  const config = join(folder, 'verdaccio.yaml');
  const packages = { '**': { access: '$all', publish: '$all' } };
  // YAML has JSON in it.
  await writeFile(
    config,
    JSON.stringify({ storage: join(folder, 'storage'), packages, uplinks: {}, log: { type: 'stdout', level: 'warn' } }),
  );
  const args = [await verdaccioScript(), '--config', config, '--listen', `127.0.0.1:${port}`];
  return listening(process.execPath, args, { host: `localhost:${port}`, probe: '/-/ping' });
}

interface Listening {
  readonly host: string;
  /** A path that is answered once it listens. */
  readonly probe: string;
}

async function listening(command: string, args: readonly string[], { host, probe }: Listening): Promise<Registry> {
  const registry = start(command, args);
  try {
    await eventually(`${command} to listen`, async () => {
      if (registry.exitCode() !== null) throw new Error(registry.output());
      return fetch(`http://${host}${probe}`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      );
    });
  } catch (error) {
    await registry.stop();
    throw error;
  }
  return { host, [Symbol.asyncDispose]: registry.stop };
}
