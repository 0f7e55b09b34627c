import { Readable } from 'node:stream';

import type { Command, Option } from 'commander';

import type { CommandContext } from '../../src/commands/context.ts';
import { createProgram } from '../../src/commands/program.ts';
import { code, table } from './table.ts';

/** Nothing runs: the commands are only asked what they take. */
const CONTEXT: CommandContext = {
  stdin: Readable.from([]),
  apiServer: undefined,
  stdout: process.stdout,
  hasColour: false,
  stderr: process.stderr,
  isInteractive: false,
  exitWith: () => undefined,
  nextTermination: () => new Promise(() => undefined),
  endUnread: () => undefined,
  onFault: () => undefined,
};

/** Writes the page about the command line: every command with its flags, and what its help says below them. */
export function cliPage(): string {
  const program = createProgram(CONTEXT, () => undefined);
  const commands = program.createHelp().visibleCommands(program);
  return [
    '# Command line',
    ...commands.filter((command) => command.name() !== 'help').map((command) => section(program.name(), command)),
  ].join('\n\n');
}

function section(program: string, command: Command): string {
  const options = command.createHelp().visibleOptions(command);
  return [
    `## ${program} ${command.name()}`,
    sentence(command.description()),
    `\`\`\`\n${program} ${command.name()} ${command.usage()}\n\`\`\``,
    table(['flag', '', 'default'], options.map(row)),
    `\`\`\`\n${textAfter(command)}\n\`\`\``,
  ].join('\n\n');
}

function row(option: Option): string[] {
  const { flags, description, argChoices } = option;
  const choices = argChoices === undefined ? '' : `: ${argChoices.map(code).join(', ')}`;
  const defaultValue: unknown = option.defaultValue;
  return [code(flags), `${description}${choices}`, typeof defaultValue === 'string' ? code(defaultValue) : ''];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Returns what a command's help says below its flags: what it exits with, and examples. */
function textAfter(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help.slice(command.helpInformation().length).trim();
}
