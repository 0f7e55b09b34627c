import { Command, Option } from 'commander';

import type { CheckContext, CheckFlags } from './check/judge-files.ts';

/** `jobguard check`: judges an update before it is sent. */
export function checkCommand(context: CheckContext): Command {
  return new Command('check')
    .description('judge an update before it is sent, whatever the mode')
    .usage('[options] OLD NEW | OLD --patch TEXT | --git BASE [PATH...] | --live NEW... | --review FILE')
    .argument(
      '[files...]',
      'OLD and NEW: YAML or JSON files, folders, or - for stdin; with --live NEW, or RESOURCE/NAME',
    )
    .option('--patch <text>', 'patch that makes the updated object of OLD, YAML or JSON, as for kubectl patch')
    .option('--patch-file <file>', 'file of such a patch; - reads stdin')
    .addOption(
      new Option('--type <type>', 'type of the patch: merge (RFC 7386) or json (RFC 6902)')
        .choices(['merge', 'json'])
        .default('merge'),
    )
    .option('--git <base>', 'compare the manifests at this git revision with those in the working tree, below PATHs')
    .option('--live', 'take OLD from the cluster, and let it say by a dry run what comes out; stores nothing')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster (default: as for kubectl)')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('--replace', 'take NEW as the whole object, as kubectl replace does, and not as kubectl apply does')
    .option('--review <file>', 'JSON file of an AdmissionReview, instead of OLD and NEW; - reads stdin')
    .option('--policy <file>', 'policy file (default: the built-in policy; with --live that of the cluster)')
    .option('--as <user>', 'username of the writer')
    .option('--as-group <group>', 'group of the writer; may be repeated', collect)
    .option('--field-manager <name>', 'what the writer calls itself, such as argocd-controller')
    .option('--at <time>', 'day or moment (RFC 3339) to judge at, for exemptions that expire (default: now)')
    .option(
      '-n, --namespace <namespace>',
      "namespace of the job if its files do not set one (default: default; with --live the context's)",
    )
    .addOption(new Option('--subresource <name>', 'the files contain the Scale of a job').choices(['scale']))
    .option(
      '--resource <name>',
      'resource of the files if their kind does not tell, such as pytorchjobs or pytorchjobs.kubeflow.org',
    )
    .addOption(
      new Option(
        '-o, --output <format>',
        'text; json; junit or github, for CI; or patch: what is permitted of the update, as a JSON Patch (RFC 6902)',
      )
        .choices(['text', 'json', 'patch', 'junit', 'github'])
        .default('text'),
    )
    .addHelpText('after', EXAMPLE)
    .action(async (files: readonly string[], flags: CheckFlags) => {
      // Loaded here: it brings a YAML parser and a JSON Schema, which the other commands need not wait for.
      const { judgeFiles } = await import('./check/judge-files.ts');
      await judgeFiles(files, flags, context);
    });
}

function collect(group: string, groups: readonly string[] = []): readonly string[] {
  return [...groups, group];
}

const EXAMPLE = `
Exits with 0 if every update is allowed or out of scope, 1 if any is denied, 2 if any cannot be judged. NEW is judged as
kubectl apply sends it: what neither it nor the manifest that was applied last names stays as it is in OLD.

Examples:
  kubectl get tfjob mnist -o yaml | jobguard check - mnist.yaml --as alice
  jobguard check --git origin/main jobs/ -o github
  jobguard check --live jobs/ --context staging
  jobguard check --live tfjob/mnist -n team --patch '{"spec": {"suspend": true}}'
  jobguard check mnist.yaml --patch '{"metadata": {"labels": {"team": "vision"}}}'
  jobguard check mnist.yaml --type json --patch-file patch.json -o patch
  jobguard check --review review.json -o json
  jobguard check old-scale.yaml new-scale.yaml --subresource scale --resource pytorchjobs.kubeflow.org`;
