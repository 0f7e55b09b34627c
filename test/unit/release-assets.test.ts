import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { pageText } from '../../release/assets.ts';
import { withAddresses, withDigest, withRelease } from '../../release/chart.ts';
import { krewManifest } from '../../release/plugin.ts';
import { at } from '../../tools/json-at.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const CHART = `name: jobguard
# Kept.
annotations:
  artifacthub.io/images: |
    - name: jobguard
      image: ghcr.io/acme/guard:1.2.3
`;
const CHANGELOG =
  '## [1.2.3-rc.1] - 2026-12-31\n\n### Security\n\n- Deny `x: y`.\n\n## [1.2.2] - 2026-01-01\n\n### Added\n\n- Z.\n';

const IDENTITY = {
  version: '1.2.3-rc.1',
  repository: 'acme/guard',
  image: 'ghcr.io/acme/guard',
  charts: 'ghcr.io/acme/charts',
  package: 'guard',
};

test('a released chart says what changed, that it is a pre-release, and which image it runs', () => {
  const text = withRelease(CHART, { identity: IDENTITY, imageDigest: DIGEST, changelog: CHANGELOG });
  expect(text).toContain('# Kept.');
  const annotations = at(parse(text), 'annotations') as Record<string, string>;
  expect({
    ...annotations,
    'artifacthub.io/changes': parse(annotations['artifacthub.io/changes'] ?? '') as unknown,
  }).toEqual({
    'artifacthub.io/images': `- name: jobguard\n  image: ghcr.io/acme/guard:1.2.3@${DIGEST}\n`,
    'artifacthub.io/changes': [{ kind: 'security', description: 'Deny `x: y`.' }],
    'artifacthub.io/prerelease': 'true',
  });
});

test('the image of a released chart is pinned', () => {
  expect(withDigest("image:\n  digest: ''\n  tag: ''\n", DIGEST)).toBe(`image:\n  digest: ${DIGEST}\n  tag: ''\n`);
  expect(() => withDigest(`image:\n  digest: ${DIGEST}\n`, DIGEST)).toThrow('values.yaml has no line "  digest: \'\'"');
});

test('the README of a released chart needs no checkout', () => {
  const readme = 'See [x](../../docs/x.md).\n\nhelm install jobguard charts/jobguard --wait\n';
  expect(withAddresses(readme, IDENTITY)).toBe(
    'See [x](https://github.com/acme/guard/blob/v1.2.3-rc.1/docs/x.md).\n\n' +
      'helm install jobguard oci://ghcr.io/acme/charts/jobguard --version 1.2.3-rc.1 --wait\n',
  );
});

test('the page of a release says what changed, how to install it and what its image is', () => {
  const page = pageText({ identity: IDENTITY, imageDigest: DIGEST, changelog: CHANGELOG });
  expect(page).toMatch(/^### Security\n\n- Deny `x: y`\.\n\n### Install\n/);
  expect(page).toContain('helm install jobguard oci://ghcr.io/acme/charts/jobguard --version 1.2.3-rc.1 ');
  expect(page).toContain(`ghcr.io/acme/guard:1.2.3-rc.1@${DIGEST}`);
});

test('krew finds the archive of the plugin on the page of its version', async () => {
  const manifest: unknown = parse(await krewManifest({ ...IDENTITY, version: '1.2.3' }, Buffer.from('content')));
  expect(manifest).toMatchObject({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'jobguard' },
    spec: {
      version: 'v1.2.3',
      homepage: 'https://github.com/acme/guard',
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['darwin', 'linux'] }] },
          uri: 'https://github.com/acme/guard/releases/download/v1.2.3/kubectl-jobguard.tar.gz',
          sha256: 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73',
          bin: 'jobguard.js',
        },
      ],
    },
  });
});
