import { Argument, Command, type Option } from 'commander';

import type { CommandContext } from './context.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** `jobguard completion`: prints what a shell needs to complete the program's commands, flags and their values. */
export function completionCommand({ stdout }: Pick<CommandContext, 'stdout'>): Command {
  return new Command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .addHelpText('after', EXAMPLE)
    .action((shell: Shell, _flags: object, command: Command) => {
      const program = command.parent ?? command;
      const commands = program.createHelp().visibleCommands(program).map(completable);
      stdout.write(SCRIPTS[shell](program.name(), commands));
    });
}

const EXAMPLE = `
Examples:
  source <(jobguard completion bash)
  jobguard completion fish > ~/.config/fish/completions/jobguard.fish`;

/** A command, as much of it as can be completed. */
interface Completable {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** The values that its argument can have; none where these are files or anything else. */
  readonly choices: readonly string[];
}

function completable(command: Command): Completable {
  return {
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
}

const SCRIPTS: Readonly<Record<Shell, (program: string, commands: readonly Completable[]) => string>> = {
  bash: bashScript,
  zsh: (program, commands) => `#compdef ${program}
autoload -U +X bashcompinit && bashcompinit
${bashScript(program, commands)}`,
  fish: fishScript,
};

/** What has no words of its own is completed as a file. */
function bashScript(program: string, commands: readonly Completable[]): string {
  const cases = commands.flatMap((command) => [
    ...command.options.filter(takesValue).map((option) => {
      const patterns = namesOf(option).map((name) => `'${command.name} ${name}'`);
      return `      ${patterns.join(' | ')}) words='${(option.argChoices ?? []).join(' ')}' ;;`;
    }),
    `      '${command.name} '*) [[ $current == -* ]] && words='${command.options.flatMap(namesOf).join(' ')}' || words='${command.choices.join(' ')}' ;;`,
  ]);
  return `_${program}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')}'
  else
    case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${cases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}
`;
}

function fishScript(program: string, commands: readonly Completable[]): string {
  const lines = commands.flatMap(({ name, description, options, choices }) => {
    const within = `complete -c ${program} -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c ${program} -f -n __fish_use_subcommand -a ${name} -d '${fishQuoted(description)}'`,
      ...(choices.length === 0 ? [] : [`${within} -f -a '${choices.join(' ')}'`]),
      ...options.map((option) => `${within} ${fishOption(option)}`),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function fishOption(option: Option): string {
  const { long = '', short, argChoices, description } = option;
  const value = argChoices === undefined ? '-r' : `-x -a '${argChoices.join(' ')}'`;
  return [
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    `-l ${long.slice(2)}`,
    ...(takesValue(option) ? [value] : []),
    `-d '${fishQuoted(description)}'`,
  ].join(' ');
}

function fishQuoted(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`);
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function namesOf({ short, long }: Option): string[] {
  return [short, long].filter((name) => name !== undefined);
}
