import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import { at } from '../../tools/json-at.ts';
import { startInForeground } from '../support/foreground-program.ts';
import { describeWithControlPlane } from './layer.ts';

const DEMO = join(import.meta.dirname, '../../examples/demo.ts');
const TIMEOUT_MS = 120_000;

/** What the demo promises of one command. */
interface Promised {
  readonly command: string;
  readonly prints: string;
}

/** Reads the steps as a person would: a number, the command, and what it prints. */
function stepsIn(output: string): Promised[] {
  return [...output.matchAll(/^\d\. .*\n\n {5}(.*)\n\n {3}prints: (.*)$/gm)].map(([, command = '', prints = '']) => ({
    command,
    prints,
  }));
}

/** Whether a text is what was promised, where `…` stands for anything and a space for any white space. */
function isAsPromised(printed: string, prints: string): boolean {
  const pattern = prints
    .split('…')
    .map((part) =>
      part
        .trim()
        .split(/\s+/)
        .map((word) => RegExp.escape(word))
        .join(String.raw`\s+`),
    )
    .join('.*');
  return new RegExp(`^${pattern}$`, 's').test(printed.trim());
}

describeWithControlPlane('make demo', () => {
  test(
    'keeps what its tour promises: every command prints what it says, and Ctrl-C leaves nothing',
    async () => {
      await using demo = startInForeground(DEMO);
      const output = await demo.printed('Ctrl-C here ends it all', TIMEOUT_MS / 2);
      const environment = /^ {5}\. (\S+)$/m.exec(output)?.[1] ?? '';
      const paste = async (command: string): Promise<string> => {
        const { stdout, stderr } = await run('sh', ['-c', `. ${environment}\n${command}`]);
        return stdout + stderr;
      };

      const steps = stepsIn(output);
      const results: object[] = [];
      for (const { command, prints } of steps) {
        const printed = await paste(command);
        results.push({ command, printed: isAsPromised(printed, prints) ? prints : printed });
      }
      expect(results).toEqual(steps.map(({ command, prints }) => ({ command, printed: prints })));
      expect(steps).toHaveLength(8);

      const log = /^ {5}tail -f (\S+)$/m.exec(output)?.[1] ?? '';
      expect(decisionsIn(log)).toEqual(['mnist: deny', 'bert: deny', 'mnist: deny']);
      const metrics = /^ {5}(curl .*)$/m.exec(output)?.[1] ?? '';
      const denials = (resource: string): string =>
        `jobguard_admission_requests_total{resource="${resource}",decision="deny",mode="enforce",dry_run="false"}`;
      expect((await paste(metrics)).split('\n').filter((line) => line.includes('dry_run="false"'))).toEqual([
        `${denials('tfjobs')} 2`,
        `${denials('pytorchjobs')} 1`,
      ]);

      expect(await demo.interrupt()).toEqual({ code: 0, leavesProcesses: false });
      expect(existsSync(dirname(environment))).toBe(false);
    },
    TIMEOUT_MS,
  );

  test('says in one line why it cannot start', async () => {
    const env = { KUBEBUILDER_ASSETS: import.meta.dirname };
    expect(await run(process.execPath, [DEMO], { env })).toEqual({
      code: 1,
      stdout: '',
      stderr: `The demo failed: KUBEBUILDER_ASSETS=${import.meta.dirname} lacks etcd, kube-apiserver, kubectl\n`,
    });
  });
});

/** Returns what jobguard was asked by the tour, and not by the probe of its registration. */
function decisionsIn(log: string): string[] {
  return readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
    .filter((line) => at(line, 'decision') !== undefined && at(line, 'dryRun') !== true)
    .map((line) => `${String(at(line, 'name'))}: ${String(at(line, 'decision'))}`);
}
