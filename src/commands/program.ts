import { Command } from 'commander';

import { BUILD_INFO } from '../telemetry/build-info.ts';
import { checkCommand } from './check.ts';
import { completionCommand } from './completion.ts';
import type { CommandContext } from './context.ts';
import { policyCommand } from './policy.ts';
import { replayCommand } from './replay.ts';
import { rerunCommand } from './rerun.ts';
import { serveCommand } from './serve.ts';
import { versionCommand } from './version.ts';

/** Every command, in the order of the help. */
const COMMANDS: readonly ((context: CommandContext) => Command)[] = [
  serveCommand,
  checkCommand,
  policyCommand,
  replayCommand,
  rerunCommand,
  completionCommand,
  versionCommand,
];

/** Says what is wrong with a command line, or hands it to `write`. */
export type OutputError = (text: string, write: (text: string) => void) => void;

/** Creates the command line. Where it is wrong, it throws a CommanderError instead of ending the process. */
export function createProgram(context: CommandContext, outputError: OutputError): Command {
  const program = new Command('jobguard')
    .version(BUILD_INFO.version, '--version', 'print the version')
    .description('Keeps Kubeflow training jobs as they were created: a validating admission webhook.')
    .addHelpText('after', '\nExample:\n  jobguard serve --dev')
    .configureOutput({ outputError })
    .exitOverride();
  for (const create of COMMANDS) program.addCommand(create(context).copyInheritedSettings(program));
  return program;
}
