import { Command, Option } from 'commander';

import type { CommandContext } from './context.ts';
import type { RerunFlags } from './rerun/print-new-job.ts';

/** `jobguard rerun`: makes of a refused update the manifest of a new job. */
export function rerunCommand(context: Pick<CommandContext, 'stdin' | 'stdout'>): Command {
  return new Command('rerun')
    .description('print the manifest of a new job that is what an update would have made of an old one')
    .usage('[options] OLD NEW | OLD --patch TEXT')
    .argument('<old>', 'YAML or JSON file with the job that runs; - reads stdin')
    .argument('[new]', 'file with the job as it should be; - reads stdin')
    .option('--patch <text>', 'patch of OLD instead of NEW, YAML or JSON, as for kubectl patch')
    .option('--patch-file <file>', 'file of such a patch; - reads stdin')
    .addOption(
      new Option('--type <type>', 'type of the patch: merge (RFC 7386) or json (RFC 6902)')
        .choices(['merge', 'json'])
        .default('merge'),
    )
    .option('--name <name>', "name of the new job (default: OLD's with the next number, such as mnist-2)")
    .addHelpText('after', EXAMPLE)
    .action(async (oldFile: string, newFile: string | undefined, flags: RerunFlags) => {
      const { printNewJob } = await import('./rerun/print-new-job.ts');
      await printNewJob([oldFile, newFile], flags, context);
    });
}

const EXAMPLE = `
Exits with 0, or with 2 if there is no such job to be made. Nothing is sent to a cluster: kubectl create does that.

Examples:
  kubectl get tfjob mnist -o yaml | jobguard rerun - mnist.yaml | kubectl create -f -
  jobguard rerun mnist.yaml --patch '{"spec": {"tfReplicaSpecs": {"Worker": {"replicas": 4}}}}' --name mnist-large`;
