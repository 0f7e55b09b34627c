import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { run } from '../../tools/child-process.ts';
import { causeOf, wouldDeny } from '../support/denial-wording.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { at } from '../../tools/json-at.ts';
import { reviewText } from '../support/review.ts';

jest.setTimeout(120_000);

const ROOT = join(import.meta.dirname, '../..');
const NPM_FLAGS = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];

/** As strict as it gets, with nobody's types but the package's own. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'dom'],
    module: 'nodenext',
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    outDir: 'built',
    rootDir: '.',
  },
  include: ['*.ts'],
};

const DENIED = reviewText({
  oldObject: TF_JOB,
  object: withValue(TF_JOB, '/spec/tfReplicaSpecs/Worker/replicas', 3),
});
const ALLOWED = reviewText({ oldObject: TF_JOB, object: withValue(TF_JOB, '/metadata/labels/team', 'speech') });

const PROGRAM = `
import {
  decide, explain, isExactNumber, InvalidReviewError, loadPolicy, parseReview, PolicyFileError, reviewResponse,
  type AdmissionRequest, type AdmissionReview, type Change, type Decision, type JsonValue, type Policy, type Verdict,
} from 'jobguard';
import { refusedChanges } from './documented.js';

const policy: Policy = loadPolicy('{ apiVersion: jobguard/v1, kind: UpdatePolicy, mode: warn }', { file: 'mine.yaml' });

function shown(value: JsonValue | undefined): string {
  return isExactNumber(value) ? value.source : JSON.stringify(value ?? null);
}

function inWords(decision: Decision): string {
  switch (decision.outcome) {
    case 'out_of_scope': return 'not guarded';
    case 'unjudgeable': return decision.reason;
    case 'allow': return \`allowed: \${decision.changes.length}\`;
    case 'exempt': return decision.exemptions[0];
    case 'deny': return decision.denied
      .map(({ path, oldValue, newValue }: Change) => \`\${path.join('/')} \${shown(oldValue)} \${shown(newValue)}\`)
      .join();
  }
}

function judge(review: string): { verdict: Verdict; answer: AdmissionReview } {
  const request: AdmissionRequest = parseReview(review);
  const verdict = decide(policy, request, new Date());
  return { verdict, answer: reviewResponse(request, verdict, explain(policy, request, verdict)) };
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof PolicyFileError) return error.problems;
    return error instanceof InvalidReviewError ? [error.message] : ['unknown'];
  }
}

// @ts-expect-error A text is no policy.
problemsOf(() => decide('policy', parseReview(''), new Date()));
// @ts-expect-error A mode is one of three.
policy.modeOf('default') === 'off';

const [denied, allowed] = [judge(${JSON.stringify(DENIED)}), judge(${JSON.stringify(ALLOWED)})];
console.log(JSON.stringify({
  denied: inWords(denied.verdict.decision),
  mode: denied.verdict.mode,
  answer: denied.answer.response.allowed,
  warnings: denied.answer.response.warnings,
  allowed: inWords(allowed.verdict.decision),
  documented: [refusedChanges(${JSON.stringify(DENIED)}), refusedChanges(${JSON.stringify(ALLOWED)})],
  wrongPolicy: problemsOf(() => loadPolicy('apiVersion: jobguard/v1\\nkind: UpdatePolicy\\nmode: off', { file: 'mine.yaml' })),
  wrongReview: problemsOf(() => parseReview('{}')),
}));
`;

let folder: string;
let tarball: string;

/** Runs a program in the project of somebody who has installed the package, and returns what it printed. */
async function inProject(command: string, ...args: string[]): Promise<string> {
  const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const finished = await run(command, args, { cwd: folder, env: { PATH: path } });
  expect(finished).toMatchObject({ code: 0 });
  return finished.stdout;
}

async function documentedProgram(): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/recipes.md'), 'utf8');
  return /^```ts\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-consumer-'));
  await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  // The bundles are there: to build them anew would take them away from the tests that run them.
  await inProject('npm', '--prefix', ROOT, 'run', 'types');
  const packed: unknown = JSON.parse(
    await inProject('npm', 'pack', ROOT, '--json', '--ignore-scripts', '--pack-destination', folder, ...NPM_FLAGS),
  );
  tarball = join(folder, String(at(packed, 0, 'filename')));
  await inProject('npm', 'install', tarball, '--ignore-scripts', ...NPM_FLAGS);
});
afterAll(() => rm(folder, { recursive: true }));

test('the package is installed alone: it needs no other', async () => {
  const listed: unknown = JSON.parse(await inProject('npm', 'ls', '--all', '--json', ...NPM_FLAGS));
  expect(at(listed, 'dependencies', 'jobguard')).not.toHaveProperty('dependencies');
});

test('a strictly typed program of somebody else’s compiles against it and judges', async () => {
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  await writeFile(join(folder, 'documented.ts'), await documentedProgram());
  await writeFile(join(folder, 'program.ts'), PROGRAM);
  await inProject(process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'));
  expect(JSON.parse(await inProject(process.execPath, 'built/program.js'))).toEqual({
    denied: 'spec/tfReplicaSpecs/Worker/replicas 2 3',
    mode: 'warn',
    answer: true,
    warnings: [`spec.tfReplicaSpecs[Worker].replicas ${causeOf('2 → 3')}`, wouldDeny(1)],
    allowed: 'allowed: 1',
    documented: [['replace spec.tfReplicaSpecs.Worker.replicas'], []],
    wrongPolicy: [expect.stringMatching(/^mine\.yaml:3:7: mode: /)],
    wrongReview: [expect.stringMatching(/^not an admission\.k8s\.io\/v1 AdmissionReview: /)],
  });
});

test('npx jobguard is the program, and so is the plugin of kubectl', async () => {
  const version = at(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')), 'version');
  expect(await inProject('npx', '--offline', 'jobguard', 'version')).toContain(`version: ${String(version)}\n`);
  expect(await inProject('npx', '--offline', 'kubectl-jobguard', 'version')).toContain(`version: ${String(version)}\n`);
});
