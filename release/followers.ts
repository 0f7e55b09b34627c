/**
 * The files that mention the version or a name.
 *
 * A template such as `image: {image}:{version}` finds its places whatever they name now, so neither a release nor a new
 * name needs to know the old one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Identity } from './identity.ts';

const RUNBOOKS = 'https://github.com/{repository}/blob/main/docs/runbooks';
/** Every version of the schema reads the policies of earlier ones, so editors take the newest. */
const POLICY_SCHEMA = 'https://raw.githubusercontent.com/{repository}/main/schemas/policy.schema.json';
const MANIFEST = ['app.kubernetes.io/version: {version}', 'image: {image}:{version}'];

/** The templates of each file. A file that has lost one of them is an error. */
export const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  'package.json': [
    '\n  "name": "{package}"',
    '\n  "version": "{version}"',
    'git+https://github.com/{repository}.git',
    'https://github.com/{repository}#readme',
    'https://github.com/{repository}/issues',
  ],
  'package-lock.json': [
    '{\n  "name": "{package}",\n  "version": "{version}"',
    '"": {\n      "name": "{package}",\n      "version": "{version}"',
  ],
  Dockerfile: ['ARG VERSION={version}', 'org.opencontainers.image.source="https://github.com/{repository}"'],
  'schemas/policy.schema.json': [`"$id": "${POLICY_SCHEMA}"`],
  'docs/policy.md': [`$schema=${POLICY_SCHEMA}`],
  'SECURITY.md': ['https://github.com/{repository}/security'],
  '.github/CODEOWNERS': ['* @{owner}/maintainers'],
  '.github/ISSUE_TEMPLATE/config.yml': ['https://github.com/{repository}/security'],
  'action.yml': ['uses: {repository}@v{version}', 'npx --yes {package}@{version} check'],
  'charts/jobguard/Chart.yaml': [
    '\nversion: {version}',
    '\nappVersion: {version}',
    'home: https://github.com/{repository}',
    '\n  - https://github.com/{repository}',
    'https://raw.githubusercontent.com/{repository}/main',
    '\n    url: https://github.com/{owner}',
    'image: {image}:{version}',
    'https://github.com/{repository}/blob/main/docs/',
    'https://github.com/{repository}/issues',
  ],
  'charts/jobguard/values.yaml': ['  registry: {registry}', '  repository: {imagePath}', RUNBOOKS],
  'charts/jobguard/files/dashboard.json': [RUNBOOKS],
  'charts/jobguard/templates/dashboard.yaml': [RUNBOOKS],
  'deploy/self-managed/jobguard.yaml': MANIFEST,
  'deploy/cert-manager/jobguard.yaml': MANIFEST,
  'deploy/existing-secret/jobguard.yaml': MANIFEST,
  '.pre-commit-hooks.yaml': ['npx --yes {package}@{version} check'],
  'docs/ci.md': ['repo: https://github.com/{repository}', '    rev: v{version}'],
  'docs/check.md': ['uses: {repository}@v{version}'],
  'docs/install.md': [
    'registry.example.com/jobguard:{version}',
    'name: {image}, newName',
    'digest=$(crane digest {image}:{version})',
    'cosign save --dir jobguard-image {image}@',
    'helm pull oci://{charts}/jobguard --version {version}',
    'push jobguard-{version}.tgz',
    'charts/jobguard --version {version}',
  ],
  'docs/verify.md': [
    'VERSION={version}\n',
    'IMAGE={image}\n',
    'CHART={charts}/jobguard\n',
    'REPOSITORY={repository}\n',
    'npm install {package}@{version}',
  ],
};

/** What each placeholder stands for. */
const PATTERNS: Readonly<Record<string, string>> = {
  version: String.raw`\d+\.\d+\.\d+(?:-[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*)?`,
  repository: String.raw`[\w.-]+/[\w.-]+`,
  owner: String.raw`[\w-]+`,
  image: String.raw`[\w.-]+(?::\d+)?(?:/[\w-]+)+`,
  registry: String.raw`[\w.-]+(?::\d+)?`,
  imagePath: String.raw`[\w-]+(?:/[\w-]+)*`,
  charts: String.raw`[\w.-]+(?::\d+)?(?:/[\w-]+)+?`,
  package: String.raw`(?:@[\w-]+/)?[\w-]+`,
};

/**
 * Returns a file's text with another version and other names.
 *
 * @throws Error that names a template that the text does not have
 */
export function withIdentity(text: string, templates: readonly string[], identity: Identity): string {
  return templates.reduce((before, template) => {
    const place = new RegExp(placeOf(template), 'g');
    if (!place.test(before)) throw new Error(`nothing looks like ${JSON.stringify(template)}`);
    return before.replaceAll(place, () => filled(template, identity));
  }, text);
}

/** Returns what every follower should hold, by its path below `root`. */
export function followers(identity: Identity, root: string = ROOT): Map<string, string> {
  return new Map(
    Object.entries(FOLLOWERS).map(([path, templates]) => {
      try {
        return [path, withIdentity(readFileSync(join(root, path), 'utf8'), templates, identity)];
      } catch (error) {
        throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }),
  );
}

function placeOf(template: string): string {
  return template
    .split(PLACEHOLDER)
    .map((part, index) => (index % 2 === 0 ? RegExp.escape(part) : PATTERNS[part]))
    .join('');
}

const PLACEHOLDER = /\{(\w+)\}/;

function filled(template: string, identity: Identity): string {
  const values = valuesOf(identity);
  return template.replaceAll(new RegExp(PLACEHOLDER, 'g'), (_placeholder, name: string) => values[name] ?? '');
}

/** The identity, with the parts of names that some files hold apart. */
function valuesOf(identity: Identity): Record<string, string> {
  const { repository, image } = identity;
  const slash = image.indexOf('/');
  return {
    ...identity,
    owner: repository.slice(0, repository.indexOf('/')),
    registry: image.slice(0, slash),
    imagePath: image.slice(slash + 1),
  };
}
