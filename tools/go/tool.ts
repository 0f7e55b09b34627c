import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { goBuild } from './build.ts';
import { moduleFolder } from './module.ts';
import { givenProgram } from '../given-program.ts';
import { fillFolder, userCache } from '../user-cache.ts';

/** A program that is built from its Go module. */
export interface GoTool {
  readonly name: string;
  /** `example.com/module/cmd/program`. */
  readonly package: string;
  /** `example.com/module`, where it replaces other modules: `go install` then refuses it, and it is built in its own folder. */
  readonly module?: string;
  /** `v1.2.3`. */
  readonly version: string;
  /** The environment variable that names another one to use instead. */
  readonly override: string;
}

/**
 * Returns the path of a program: what its variable names, else the one in the user's cache, where it is built the first
 * time, which takes minutes.
 *
 * @throws Error that says why there is none
 */
export async function goTool(tool: GoTool): Promise<string> {
  const { name, version, override } = tool;
  const given = givenProgram(override);
  if (given !== undefined) return given;
  const folder = folderOf(tool);
  await fillFolder(folder, [name], async (_missing, staging) => {
    process.stderr.write(`building ${name} ${version} from its Go module; it takes minutes, the first time\n`);
    await build(tool, staging).catch((error: unknown) => {
      throw new Error(`There is no ${name} ${version}: set ${override}, or fix this: ${String(error).slice(-2000)}`);
    });
  });
  return join(folder, name);
}

/** Whether a program need not be built first. */
export function isBuilt(tool: GoTool): boolean {
  return givenProgram(tool.override) !== undefined || existsSync(join(folderOf(tool), tool.name));
}

function folderOf({ name, version }: GoTool): string {
  return join(userCache(), 'tools', `${name}-${version}`);
}

async function build({ name, package: main, module, version }: GoTool, staging: string): Promise<void> {
  if (module === undefined) return goBuild('install', [`${main}@${version}`], { env: { GOBIN: staging } });
  return goBuild('build', ['-o', join(staging, name), main], { cwd: await moduleFolder(`${module}@${version}`) });
}
