import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type Finished } from '../../tools/child-process.ts';
import type { ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { goTool } from '../../tools/go/tool.ts';
import type { Manifest } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';

/** Returns the path of kubeconform. */
export async function kubeconformBinary(): Promise<string> {
  return goTool({
    name: 'kubeconform',
    package: 'github.com/yannh/kubeconform/cmd/kubeconform',
    version: 'v0.8.0',
    override: 'KUBECONFORM',
  });
}

/** Checks a stream of YAML documents, strictly, against the schemas in `folder` and no others. */
export async function kubeconform(folder: string, yaml: string): Promise<Finished> {
  const location = join(folder, '{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json');
  return run(await kubeconformBinary(), ['-strict', '-summary', '-verbose', '-schema-location', location], {
    stdin: yaml,
  });
}

/** Writes into `folder`, for each kind among `objects`, the schema that the API server itself publishes. */
export async function writeSchemas(folder: string, cluster: ControlPlane, objects: readonly Manifest[]): Promise<void> {
  const kinds = new Map(objects.map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]));
  for (const [name, { apiVersion, kind }] of kinds) {
    // A kind is served some seconds before its schema is published.
    const schema = await eventually(`the schema of ${name}`, () => publishedSchema(cluster, apiVersion, kind));
    // kubeconform takes the version for the group where there is none.
    const path = join(folder, apiVersion.includes('/') ? apiVersion : `${apiVersion}/${apiVersion}`);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, `${kind.toLowerCase()}.json`), JSON.stringify(schema));
  }
}

async function publishedSchema(cluster: ControlPlane, apiVersion: string, kind: string): Promise<unknown> {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const { json } = await cluster.request('GET', `/openapi/v3/${group === '' ? 'api' : 'apis'}/${apiVersion}`);
  const components = at(json, 'components', 'schemas');
  const schemas = typeof components === 'object' && components !== null ? Object.entries(components) : [];
  const name = schemas.find(([, schema]) => isOfKind(schema, group, version, kind))?.[0];
  if (name === undefined) return undefined;
  return { $ref: `#/components/schemas/${name}`, components: { schemas: closed(components) } };
}

function isOfKind(schema: unknown, ...[group, version, kind]: (string | undefined)[]): boolean {
  const names = at(schema, 'x-kubernetes-group-version-kind');
  return (
    Array.isArray(names) &&
    names.length === 1 &&
    names.every((each) => at(each, 'group') === group && at(each, 'version') === version && at(each, 'kind') === kind)
  );
}

/** Says of every object that it has no fields but the known ones, as the API server's strict validation holds. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen =
    !('properties' in copy) || 'additionalProperties' in copy || 'x-kubernetes-preserve-unknown-fields' in copy;
  return isOpen ? copy : { ...copy, additionalProperties: false };
}
