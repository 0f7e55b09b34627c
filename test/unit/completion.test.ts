import { expect, test } from '@jest/globals';
import { Command, Option } from 'commander';
import { spawnSync } from 'node:child_process';

import { completionCommand } from '../../src/commands/completion.ts';
import { runCommand } from '../support/run-command.ts';

/** Prints the completion script of a program that has two commands beside `completion`. */
async function script(shell: string): Promise<string> {
  const { stdout } = await runCommand(
    (context) =>
      new Command('jobguard')
        .addCommand(
          new Command('check')
            .description("judge people's updates")
            .argument('[files...]')
            .option('--policy <file>', 'policy file')
            .option('--replace', 'replace it')
            .addOption(new Option('-o, --output <format>', 'format').choices(['text', 'json'])),
        )
        .addCommand(new Command('version').description('print the version'))
        .addCommand(completionCommand(context)),
    ['completion', shell],
  );
  return stdout;
}

test.each([
  { typed: ['ch'], offered: ['check'] },
  { typed: [''], offered: ['check', 'version', 'completion', 'help'] },
  { typed: ['check', '--re'], offered: ['--replace'] },
  { typed: ['check', 'a.yaml', '-'], offered: ['--policy', '--replace', '-o', '--output', '-h', '--help'] },
  { typed: ['check', '-o', ''], offered: ['text', 'json'] },
  { typed: ['check', '--output', 'j'], offered: ['json'] },
  { typed: ['check', '--policy', ''], offered: [] },
  { typed: ['check', 'a'], offered: [] },
  { typed: ['completion', ''], offered: ['bash', 'zsh', 'fish'] },
  { typed: ['unknown', ''], offered: [] },
])('bash offers $offered for $typed', async ({ typed, offered }) => {
  const words = ['jobguard', ...typed].map((word) => `'${word}'`).join(' ');
  const program = `${await script('bash')}
COMP_WORDS=(${words}); COMP_CWORD=${typed.length}; _jobguard; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
  expect([stderr, stdout.split('\n').filter((line) => line !== '')]).toEqual(['', offered]);
});

test('zsh runs what bash does', async () => {
  expect(await script('zsh')).toBe(
    `#compdef jobguard\nautoload -U +X bashcompinit && bashcompinit\n${await script('bash')}`,
  );
});

test('fish has a line for each command, flag and choice', async () => {
  const lines = (await script('fish')).split('\n');
  expect(lines.slice(0, 4)).toEqual([
    String.raw`complete -c jobguard -f -n __fish_use_subcommand -a check -d 'judge people\'s updates'`,
    "complete -c jobguard -n '__fish_seen_subcommand_from check' -l policy -r -d 'policy file'",
    "complete -c jobguard -n '__fish_seen_subcommand_from check' -l replace -d 'replace it'",
    "complete -c jobguard -n '__fish_seen_subcommand_from check' -s o -l output -x -a 'text json' -d 'format'",
  ]);
  expect(lines).toContain("complete -c jobguard -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'");
});
