import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { run, type Finished } from './child-process.ts';
import { goTool, isBuilt } from './go/tool.ts';
import { at } from './json-at.ts';

/** The chart's folder. */
export const CHART = join(import.meta.dirname, '../charts/jobguard');

/** The version of Kubernetes that a render is for where it does not matter. */
export const KUBE_VERSION = '1.36.3';

/** What the chart is rendered with; the release is called jobguard, in a namespace of that name. */
export interface Render {
  readonly release?: string;
  readonly namespace?: string;
  readonly valuesFile?: string;
  /** Values beside or above those of the file. */
  readonly values?: object;
  /** `1.36.3`, or as a managed cluster says it: `v1.33.1-eks-abc`. */
  readonly kubeVersion?: string;
  /** Further flags of `helm template`. */
  readonly flags?: readonly string[];
  readonly major?: HelmMajor;
}

/** An object of a release. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** The Helm that people use. Both are of one version of Kubernetes' libraries, so that most of the second is compiled already. */
const HELMS = {
  3: { name: 'helm', package: 'helm.sh/helm/v3/cmd/helm', version: 'v3.22.0', override: 'HELM' },
  4: { name: 'helm', package: 'helm.sh/helm/v4/cmd/helm', version: 'v4.3.0', override: 'HELM_4' },
} as const;

/** A major version. */
export type HelmMajor = keyof typeof HELMS;
export const HELM_MAJORS: readonly HelmMajor[] = [3, 4];

/** Returns the path of helm. */
export async function helmBinary(major: HelmMajor = 3): Promise<string> {
  return goTool(HELMS[major]);
}

/** Whether helm need not be built first. */
export function isHelmBuilt(): boolean {
  return isBuilt(HELMS[3]);
}

export interface HelmOptions {
  readonly stdin?: string;
  readonly major?: HelmMajor | undefined;
}

/** Runs helm to its end. */
export async function helm(args: readonly string[], { stdin = '', major = 3 }: HelmOptions = {}): Promise<Finished> {
  return run(await helmBinary(major), args, { stdin, env: { HELM_NO_PLUGINS: '1' } });
}

/** Runs `helm template`, whatever comes of it. */
export async function template(render: Render = {}): Promise<Finished> {
  const { release = 'jobguard', namespace = 'jobguard', kubeVersion = KUBE_VERSION, flags = [], major } = render;
  const { valuesFile, values = {} } = render;
  const files = valuesFile === undefined ? [] : ['--values', valuesFile];
  const args = ['template', release, CHART, '--namespace', namespace, '--kube-version', kubeVersion];
  return helm([...args, ...files, '--values', '-', ...flags], { stdin: JSON.stringify(values), major });
}

/**
 * Renders the chart, hooks included.
 *
 * @throws Error with what helm says
 */
export async function renderText(render: Render = {}): Promise<string> {
  const { code, stdout, stderr } = await template(render);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** Renders the chart into its objects. */
export async function renderObjects(render: Render = {}): Promise<Manifest[]> {
  return manifests(await renderText(render));
}

/** Returns the release's own object of a kind; hooks are not among them. */
export function objectOf(objects: readonly Manifest[], kind: string): Manifest {
  const found = objects.find(
    (object) => object.kind === kind && object.metadata.annotations?.['helm.sh/hook'] === undefined,
  );
  if (found === undefined) throw new Error(`The release has no ${kind}`);
  return found;
}

/** Returns the policy file that the pods read. */
export function policyText(objects: readonly Manifest[]): string {
  const text = objects.map((object) => at(object, 'data', 'policy.yaml')).find((each) => typeof each === 'string');
  if (text === undefined) throw new Error('The release has no policy');
  return text;
}

/** Reads a stream of YAML documents, without the empty ones. */
export function manifests(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    const object: unknown = document.toJS();
    return isManifest(object) ? [object] : [];
  });
}

function isManifest(object: unknown): object is Manifest {
  return typeof object === 'object' && object !== null && 'kind' in object && 'metadata' in object;
}
