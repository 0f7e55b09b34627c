import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's folder. */
export const ROOT = join(import.meta.dirname, '..');

/** The names under which jobguard is published, as `release/names.json` has them. */
export interface Names {
  /** On GitHub: `owner/name`. */
  readonly repository: string;
  /** The container image, without a tag: `registry.example.com/team/jobguard`. */
  readonly image: string;
  /** The OCI repository that holds the chart `jobguard`: `registry.example.com/team/charts`. */
  readonly charts: string;
  /** The npm package: `jobguard` or `@scope/jobguard`. */
  readonly package: string;
}

/** What is published: which version, under which names. */
export interface Identity extends Names {
  /** `1.2.3` or `1.2.3-rc.1`. */
  readonly version: string;
}

/**
 * Returns the version of `package.json` with the names of `release/names.json`.
 *
 * @throws Error that says which of them is missing
 */
export function readIdentity(root: string = ROOT): Identity {
  const names = jsonFile(join(root, 'release/names.json'));
  return {
    version: stringAt(jsonFile(join(root, 'package.json')), 'version'),
    repository: stringAt(names, 'repository'),
    image: stringAt(names, 'image'),
    charts: stringAt(names, 'charts'),
    package: stringAt(names, 'package'),
  };
}

function jsonFile(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function stringAt(document: unknown, key: string): string {
  const value: unknown = typeof document === 'object' && document !== null ? Reflect.get(document, key) : undefined;
  if (typeof value !== 'string') throw new Error(`package.json or release/names.json has no "${key}"`);
  return value;
}
