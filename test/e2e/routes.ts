import { expect, type test as Test } from '@jest/globals';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../tools/child-process.ts';

const PROGRAM = join(import.meta.dirname, 'node-beside-routes.ts');
const TIMEOUT_MS = 120_000;

/** A machine that has routes of its own, such as another cluster's. */
interface Case {
  readonly title: string;
  /** As `ip route` lists them. */
  readonly routes: readonly string[];
  /** Which arguments of `ip` fail, as a pattern of the shell. */
  readonly fails?: string;
  readonly expected: object;
}

const KIND = '10.244.0.0/24 dev lo scope link';
const OURS = '10.96.0.0/16 dev lo scope link';
const PRIVATE = ['10.0.0.0/8 dev lo scope link', '172.16.0.0/12 dev lo scope link'];

const CASES: readonly Case[] = [
  {
    title: 'starts beside the pods of kind, minikube and flannel',
    routes: [KIND],
    expected: {
      addresses: { apiServer: '10.96.0.1', services: '10.96.0.0/17', pods: '10.96.128.0/24', node: '10.96.129.1' },
    },
  },
  {
    title: 'takes other addresses where its own are routed elsewhere',
    routes: [OURS],
    expected: {
      addresses: { apiServer: '10.97.0.1', services: '10.97.0.0/17', pods: '10.97.128.0/24', node: '10.97.129.1' },
    },
  },
  {
    title: 'names the routes in the way where no addresses are free',
    routes: PRIVATE,
    expected: {
      error:
        "Error: No range of private addresses is free for the node's Services and pods. " +
        'Routes in the way: 10.0.0.0/8 dev lo, 172.16.0.0/12 dev lo',
    },
  },
  {
    title: 'leaves no route behind where its last one fails',
    routes: [KIND],
    fails: 'route add 10.96.128.0/24 *',
    expected: { error: 'Error: The node cannot be set up: RTNETLINK answers: File exists\n' },
  },
];

/** The node beside routes that were there before. They are made in a network namespace of the test's own. */
export function startsBesideRoutes(test: Pick<typeof Test, 'each'>): void {
  test.each(CASES)(
    'a node $title',
    async ({ routes, fails = '-', expected }) => {
      await using undo = new AsyncDisposableStack();
      const folder = await mkdtemp(join(tmpdir(), 'jobguard-ip-'));
      undo.defer(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, 'ip'), failingIp(fails));
      await chmod(join(folder, 'ip'), 0o755);
      const script = [
        'ip link set lo up',
        ...routes.map((route) => `ip route add ${route}`),
        `PATH=${folder}:$PATH exec ${process.execPath} ${PROGRAM}`,
      ].join('\n');
      const { stdout, stderr } = await run('unshare', ['--net', 'sh', '-ec', script], { timeoutMs: TIMEOUT_MS });
      expect({ stderr, told: JSON.parse(stdout) as unknown }).toEqual({ stderr: '', told: { ...expected, routes } });
    },
    TIMEOUT_MS,
  );
}

/** Returns a program that is `ip`, except that it refuses some arguments. */
function failingIp(pattern: string): string {
  return `#!/bin/sh
case "$*" in
  ${pattern.replaceAll(' ', '\\ ')}) echo 'RTNETLINK answers: File exists' >&2; exit 2 ;;
esac
PATH=\${PATH#*:} exec ip "$@"
`;
}
