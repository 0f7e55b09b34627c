import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentedValues, generatedFiles } from '../../charts/generate.ts';
import { renderedManifests } from '../../deploy/render.ts';
import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import { loadPolicy } from '../../src/policy/load.ts';
import { CHART, objectOf, policyText, renderObjects } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { describeChart } from './layer.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

test("the chart's README and schema are as `make generate` writes them", async () => {
  for (const [path, content] of await generatedFiles()) expect(read(path)).toBe(content);
});

test("the chart's schema holds the policy's own, whole", () => {
  const schema: unknown = JSON.parse(read(join(CHART, 'values.schema.json')));
  const { definitions, properties, required, additionalProperties } = policySchema;
  const policy = { properties, required, additionalProperties };
  expect(at(schema, 'definitions')).toMatchObject({ ...definitions, policy });
});

test('every value that a template reads is documented, and every documented value is read', () => {
  const documented = documentedValues(read(join(CHART, 'values.yaml'))).map(({ path }) => path.join('.'));
  const used = new Set(templates().flatMap((text) => text.match(/(?<=\.Values\.)[A-Za-z.]+/g) ?? []));
  const covers = (outer: string, inner: string): boolean => `${inner}.`.startsWith(`${outer}.`);

  const isDocumented = (path: string): boolean => documented.some((each) => covers(each, path) || covers(path, each));
  const isUsed = (path: string): boolean => [...used].some((each) => covers(each, path) || covers(path, each));
  expect([...used].filter((path) => !isDocumented(path))).toEqual([]);
  expect(documented.filter((path) => !isUsed(path))).toEqual([]);
});

function templates(): string[] {
  const folder = join(CHART, 'templates');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(yaml|tpl|txt)$/.test(name))
    .map((name) => read(join(folder, name)));
}

describeChart('what is rendered from the chart', () => {
  test("the memory limit has room for the image's heap, and a quarter of it for the rest", async () => {
    const flags = read(join(CHART, '../../Dockerfile'));
    const megabytes = (flag: string): number => Number(new RegExp(`--${flag}=(\\d+)`).exec(flags)?.[1]);
    // V8 holds three semi-spaces.
    const heap = megabytes('max-old-space-size') + 3 * megabytes('max-semi-space-size');
    const container = at(objectOf(await renderObjects(), 'Deployment'), 'spec', 'template', 'spec', 'containers', 0);
    const limit = Number.parseInt(String(at(container, 'resources', 'limits', 'memory')), 10);
    expect(heap).toBeLessThanOrEqual(0.75 * limit);
  });

  test('the default values hold the default policy', async () => {
    const smallest = loadPolicy('apiVersion: jobguard/v1\nkind: UpdatePolicy\n');
    expect(loadPolicy(policyText(await renderObjects())).hash).toBe(smallest.hash);
  });

  test('the plain manifests are as `make manifests` writes them', async () => {
    for (const [path, content] of await renderedManifests()) expect(read(path)).toBe(content);
  });
});
