import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../tools/child-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 60_000;
const TABLE = 'src/core/go-types.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-tooling-'));
});
afterAll(() => rm(folder, { recursive: true }));

test(
  'the image tests look for Docker before they get Kubernetes, which takes minutes',
  async () => {
    const setup = join(ROOT, 'test/image/setup.ts');
    const script = `const { default: setup } = await import(${JSON.stringify(setup)}); await setup(); process.exit();`;
    const nothing = { PATH: folder, XDG_CACHE_HOME: folder, KUBEBUILDER_ASSETS: '', CI: '' };
    const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], { env: nothing });
    expect(stderr).toMatch(/^!+\nSKIPPED: the image tests: no Docker\. No Docker engine answers .*\n!+\n$/);
  },
  TIMEOUT_MS,
);

test(
  'make generate leaves what it generates as it is where Go fails',
  async () => {
    for (const file of ['Makefile', 'package.json', 'package-lock.json', TABLE]) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await cp(join(ROOT, file), join(folder, file));
    }
    // Nothing is to be installed.
    const installed = join(folder, 'node_modules/.package-lock.json');
    await mkdir(dirname(installed));
    await writeFile(installed, '{}');
    const later = new Date(Date.now() + 3_600_000);
    await utimes(installed, later, later);
    const go = join(folder, 'go');
    await writeFile(go, '#!/bin/sh\necho half a table\necho no Go here >&2\nexit 1\n');
    await chmod(go, 0o755);
    const path = `${folder}:${process.env['PATH'] ?? ''}`;
    const { code, stderr } = await run('make', ['generate'], { cwd: folder, env: { PATH: path } });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('no Go here') });
    expect(await readFile(join(folder, TABLE), 'utf8')).toBe(await readFile(join(ROOT, TABLE), 'utf8'));
  },
  TIMEOUT_MS,
);

test(
  'an interrupted build of Kubernetes goes on where it was',
  async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const go = join(bin, 'go');
    await writeFile(go, FAKE_GO);
    await chmod(go, 0o755);
    const building = async (interruptedAt: string): Promise<string[]> => {
      const { stderr } = await run(process.execPath, [join(ROOT, 'tools/kubernetes/binaries.ts')], {
        env: {
          PATH: `${bin}:${process.env['PATH'] ?? ''}`,
          XDG_CACHE_HOME: join(folder, 'cache'),
          KUBEBUILDER_ASSETS: '',
          INTERRUPTED_AT: interruptedAt,
          // Nothing is to be downloaded.
          NODE_USE_ENV_PROXY: '1',
          HTTPS_PROXY: 'http://127.0.0.1:9',
        },
      });
      return [...stderr.matchAll(/^building (\S+) for/gm)].map(([, name = '']) => name);
    };
    expect(await building('kube-apiserver')).toEqual(['etcd', 'kube-apiserver']);
    expect(await building('')).toEqual(['kube-apiserver', 'kubectl', 'kube-controller-manager']);
    expect(await building('')).toEqual([]);
  },
  TIMEOUT_MS,
);

/** Writes an empty program where Go would write one, or fails. */
const FAKE_GO = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
case $2 in */"$INTERRUPTED_AT") exit 1;; esac
: > "$2"
`;
