import { Command, Option } from 'commander';

import type { RerunContext, RerunFlags } from './rerun/flags.ts';

/** `jobguard rerun`: makes of a refused update the manifest of a new job. */
export function rerunCommand(context: RerunContext): Command {
  return new Command('rerun')
    .description('print the manifest of a new job that is what an update would have made of an old one')
    .usage('[options] OLD NEW | OLD --patch TEXT | --live RESOURCE/NAME [--file NEW | --patch TEXT]')
    .argument('<old>', 'YAML or JSON file with the job that runs; - reads stdin; with --live RESOURCE/NAME')
    .argument('[new]', 'file with the job as it should be; - reads stdin')
    .option('--patch <text>', 'patch of OLD instead of NEW, YAML or JSON, as for kubectl patch')
    .option('--patch-file <file>', 'file of such a patch; - reads stdin')
    .addOption(
      new Option('--type <type>', 'type of the patch: merge (RFC 7386) or json (RFC 6902)')
        .choices(['merge', 'json'])
        .default('merge'),
    )
    .option('--name <name>', "name of the new job (default: OLD's with the next number, such as mnist-2)")
    .option('--live', 'take OLD from the cluster, and the first number that is free there')
    .option('-f, --file <file>', 'with --live: file with the job as it should be; - reads stdin')
    .option('--create', 'with --live: create the new job, after saying so')
    .option('--delete-old', 'with --create: delete OLD once the new job is there')
    .option('--yes', 'with --create: do not ask')
    .option('--wait', 'with --create: wait until the new job runs or fails')
    .option('--timeout <duration>', 'how long --wait waits', '10m')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster (default: as for kubectl)')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <namespace>', "namespace of OLD (default: the context's)")
    .addHelpText('after', EXAMPLE)
    .action(async (oldFile: string, newFile: string | undefined, flags: RerunFlags) => {
      const { rerunJob } = await import('./rerun/rerun-job.ts');
      await rerunJob([oldFile, newFile], flags, context);
    });
}

const EXAMPLE = `
Exits with 0, or with 2 if there is no such job to be made. Nothing is sent to a cluster without --create.

Examples:
  kubectl get tfjob mnist -o yaml | jobguard rerun - mnist.yaml | kubectl create -f -
  jobguard rerun mnist.yaml --patch '{"spec": {"tfReplicaSpecs": {"Worker": {"replicas": 4}}}}' --name mnist-large
  jobguard rerun --live tfjob/mnist -n team -f mnist.yaml --create --delete-old --wait`;
