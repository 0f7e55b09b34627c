import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CHART } from '../../tools/helm.ts';

const FOLDER = join(CHART, 'ci');

/** The examples of values, by name: each stands for a way to install the chart. */
export const VALUES_FILES: [name: string, path: string][] = readdirSync(FOLDER).map((file) => [
  basename(file, '-values.yaml'),
  join(FOLDER, file),
]);

/** Those that render the same each time: helm makes no certificate for them. */
export const DETERMINISTIC = VALUES_FILES.filter(([name]) => name !== 'helm-certificate');
