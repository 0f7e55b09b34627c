import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface GoBuildOptions {
  /** The folder of the module; this one where the package names its own, as `go install` has it. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Further flags of the linker. */
  readonly linkerFlags?: string;
}

/**
 * Runs `go build` or `go install`, for programs of this machine that need no library and run in an image that holds nothing
 * else.
 *
 * @throws Error that ends with what go says
 */
export async function goBuild(
  command: 'build' | 'install',
  args: readonly string[],
  { cwd, env, linkerFlags = '' }: GoBuildOptions = {},
): Promise<void> {
  // The linker drops what debuggers need; not to make it takes a tenth off the time.
  const flags = ['-trimpath', '-gcflags=all=-dwarf=false', '-ldflags', `-s -w ${linkerFlags}`];
  // Tests that go on meanwhile come first.
  await promisify(execFile)('nice', ['-n', '19', 'go', command, ...flags, ...args], {
    cwd,
    // A go.work, or another platform's flags, would change what is built and where to.
    env: { ...process.env, GOWORK: 'off', GOOS: '', GOARCH: '', CGO_ENABLED: '0', ...env },
    maxBuffer: 2 ** 26,
  });
}
