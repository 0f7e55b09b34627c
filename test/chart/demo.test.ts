import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import { eventually } from '../../tools/eventually.ts';
import { kubernetesBinaries } from '../../tools/kubernetes/binaries.ts';
import { denialOf, wayOutIn } from '../support/denial-wording.ts';
import { CONTROL_PLANE_TIMEOUT_MS, describeChart } from './layer.ts';

const DEMO = join(import.meta.dirname, '../../examples/demo.ts');

describeChart('make demo', () => {
  test(
    'shows two jobs, hands over a kubeconfig, and leaves nothing after Ctrl-C',
    async () => {
      // A process group of its own, to which Ctrl-C goes as a whole, as on a terminal.
      const demo = spawn(process.execPath, [DEMO], { detached: true });
      const group = -(demo.pid ?? NaN);
      await using undo = new AsyncDisposableStack();
      undo.defer(() => {
        if (isAlive(group)) process.kill(group, 'SIGKILL');
      });
      let output = '';
      for (const stream of [demo.stdout, demo.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      }
      const ended = once(demo, 'close');
      await eventually(
        'the demo',
        async () => {
          if (demo.exitCode !== null) throw new Error(output);
          return Promise.resolve(output.includes('Ctrl-C ends it all') ? true : undefined);
        },
        { timeoutMs: CONTROL_PLANE_TIMEOUT_MS / 2 },
      );

      for (const [job, replicas] of [
        ['tfjob.kubeflow.org/tfjob-test', 'tfReplicaSpecs'],
        ['pytorchjob.kubeflow.org/pytorch-test', 'pytorchReplicaSpecs'],
      ]) {
        expect(output).toContain(`\n${job} created\n`);
        expect(output).toContain(`\n${job} patched\n`);
        expect(output).toContain(
          denialOf('', [`spec.${replicas}[Worker].replicas (1 → 4)`], { wayOut: wayOutIn('kube-test') }),
        );
      }

      const kubeconfig = /KUBECONFIG=(\S+)\n/.exec(output)?.[1] ?? '';
      const { folder } = await kubernetesBinaries();
      const get = ['--kubeconfig', kubeconfig, '--namespace', 'kube-test', 'get', 'tfjobs', '--output=name'];
      expect(await run(join(folder, 'kubectl'), get)).toMatchObject({
        stdout: 'tfjob.kubeflow.org/tfjob-test\n',
        stderr: '',
      });

      process.kill(group, 'SIGINT');
      expect(await ended).toEqual([0, null]);
      expect(existsSync(dirname(kubeconfig))).toBe(false);
      expect(isAlive(group)).toBe(false);
    },
    CONTROL_PLANE_TIMEOUT_MS,
  );
});

/** Whether a process, or any of a group, still runs. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
