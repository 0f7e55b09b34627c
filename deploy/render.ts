/** Writes the plain manifests, which are the chart's, rendered. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { renderText } from '../tools/helm.ts';

const FLAVOURS = ['self-managed', 'cert-manager', 'existing-secret'];

/** Labels that say that Helm installed what it did not. */
const HELM_LABEL = /^ *(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm;

/** Returns the content that the manifests should have, by path. */
export async function renderedManifests(): Promise<Map<string, string>> {
  const manifests = new Map<string, string>();
  for (const flavour of FLAVOURS) {
    const folder = join(import.meta.dirname, flavour);
    const text = await renderText({ valuesFile: join(folder, 'values.yaml'), flags: ['--no-hooks'] });
    manifests.set(
      join(folder, 'jobguard.yaml'),
      `# Rendered from charts/jobguard by \`make manifests\`; not to be edited.\n${text.replaceAll(HELM_LABEL, '')}`,
    );
  }
  return manifests;
}

if (import.meta.main) {
  for (const [path, content] of await renderedManifests()) await writeFile(path, content);
}
