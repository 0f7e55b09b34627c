import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { checkCommand } from '../../src/commands/check.ts';
import { DOCS } from '../support/documented-policies.ts';
import { runCommand } from '../support/run-command.ts';

const job = (kind: string, name: string, replicas: number, team: string): string => `apiVersion: kubeflow.org/v1
kind: ${kind}
metadata: {name: ${name}, namespace: research, labels: {team: ${team}}}
spec: {tfReplicaSpecs: {Worker: {replicas: ${replicas}}}}
`;

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n';

/** What the page's examples are about. */
const FILES = {
  'stored.yaml': job('TFJob', 'mnist', 1, 'vision'),
  'mnist.yaml': job('TFJob', 'mnist', 4, 'audio'),
  'before/mnist.yaml': job('TFJob', 'mnist', 1, 'vision'),
  'before/web.yaml': POD,
  'after/mnist.yaml': job('TFJob', 'mnist', 4, 'vision'),
  'after/bert.yaml': job('PyTorchJob', 'bert', 1, 'vision').replace(' namespace: research,', ''),
};

const page = readFileSync(join(DOCS, 'check.md'), 'utf8');
const examples = [...page.matchAll(/^```console\n\$ jobguard check (.*)\n([^`]*)^```$/gm)].map(
  ([, command = '', output = '']) => ({ command, output }),
);

/** Splits a command as a shell does: what stands in single quotes is one argument. */
function argumentsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain);
}

test.each(examples)('the page shows what is printed: $command', async ({ command, output }) => {
  const { stdout, problems } = await runCommand(checkCommand, argumentsOf(command), { files: FILES });
  expect(stdout + problems.map((problem) => `error: ${problem}\n`).join('')).toBe(output);
});

test('the page shows examples, and every flag and form that it names exists', () => {
  expect(examples.length).toBeGreaterThanOrEqual(5);
  const help = checkCommand({
    stdin: process.stdin,
    stdout: process.stdout,
    hasColour: false,
    exitWith: () => undefined,
  }).helpInformation();
  const commands = [...page.matchAll(/jobguard check ([^|\n`]*)/g)].map(([, command = '']) => command);
  const flags = new Set(commands.flatMap((command) => command.match(/(?<= |^)--?[a-z][a-z-]*/g) ?? []));
  expect([...flags].filter((flag) => !help.includes(flag))).toEqual([]);
});
