import { expect, test } from '@jest/globals';
import { run } from '../../tools/child-process.ts';
import { anyUser } from './jobguard-container.ts';
import { CONTAINER_TIMEOUT_MS, describeWithDocker, prepared } from './layer.ts';
import { IMAGE } from './setup.ts';

const RESTRICTIONS = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--memory', '192m'];

describeWithDocker('a command in a container', () => {
  test.each([
    {
      title: 'version succeeds',
      args: ['version'],
      code: 0,
      stdout: /^version: \d+\.\d+\.\d+\n/,
      stderr: /^$/,
    },
    {
      title: 'serve is the default, and wants a certificate',
      args: [],
      code: 2,
      stdout: /^$/,
      stderr: /^error: --tls-cert-file: required/,
    },
    {
      title: 'an unknown flag ends it',
      args: ['serve', '--no-such-flag'],
      code: 2,
      stdout: /^$/,
      stderr: /^error: unknown option '--no-such-flag'/,
    },
    {
      title: 'wrong values end it, each of them named',
      args: ['serve', '--dev', '--secure-port', 'x', '--log-level', 'loud'],
      code: 2,
      stdout: /^$/,
      stderr: /^error: --secure-port: .*\nerror: --log-level: .*\n$/,
    },
    {
      title: 'a certificate that is not there ends it',
      args: ['serve', '--tls-cert-file', '/none/tls.crt', '--tls-private-key-file', '/none/tls.key'],
      code: 2,
      stdout: /^$/,
      stderr: /^error: .*\/none\/tls\.crt/,
    },
  ])(
    '$title',
    async ({ args, code, stdout, stderr }) => {
      const outcome = await run('docker', [
        'run',
        '--rm',
        '--user',
        anyUser(),
        ...RESTRICTIONS,
        prepared(IMAGE),
        ...args,
      ]);
      expect(outcome).toEqual({ code, stdout: expect.stringMatching(stdout), stderr: expect.stringMatching(stderr) });
    },
    CONTAINER_TIMEOUT_MS,
  );
});
