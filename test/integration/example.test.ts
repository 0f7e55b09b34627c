import { expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import { at } from '../../tools/json-at.ts';
import { startInForeground } from '../support/foreground-program.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/run.ts');
const TIMEOUT_MS = 60_000;

test(
  'make run shows a denial, prints three commands that work when pasted, and leaves nothing after Ctrl-C',
  async () => {
    await using example = startInForeground(EXAMPLE);
    const output = await example.printed('Next: make demo', TIMEOUT_MS / 2);
    const commands = [...output.matchAll(/^ {2}(\S.*)$/gm)]
      .map(([, line = '']) => line)
      .filter((line) => /curl|check/.test(line));
    const [send = '', metrics = '', check = ''] = commands;
    expect(commands).toHaveLength(3);

    const paste = (command: string): ReturnType<typeof run> => run('sh', ['-c', command], { cwd: tmpdir() });
    const denial = 'spec.tfReplicaSpecs[Worker].replicas (1 → 4)';
    expect(output).toContain(denial);
    expect(at(JSON.parse((await paste(send)).stdout), 'response', 'status', 'message')).toContain(denial);
    expect((await paste(metrics)).stdout).toMatch(/decision="deny",.* 2$/m);
    expect(await paste(check)).toEqual({
      code: 0,
      stdout: expect.stringContaining('permitted  spec.runPolicy.cleanPodPolicy (changed)'),
      stderr: '',
    });

    const files = [...send.matchAll(/\/\S+\.(?:crt|json)/g)].map(([file]) => file);
    expect(files.map((file) => existsSync(file))).toEqual([true, true]);
    expect(await example.interrupt()).toEqual({ code: 0, leavesProcesses: false });
    expect(files.map((file) => existsSync(file))).toEqual([false, false]);
  },
  TIMEOUT_MS,
);
