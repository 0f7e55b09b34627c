import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { policyValidatorCode } from './build/policy-validator.ts';
import { writeThirdParty } from './build/third-party.ts';

const { version, engines } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * Node's own modules by a plain call: an `import` makes Node look at every export of each of them, and with that load what
 * hides behind some (undici behind node:http), which takes a tenth of the start.
 */
const builtinModules = {
  name: 'builtin-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin-modules' }));
    onLoad({ filter: /./, namespace: 'builtin-modules' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** The reader of kubeconfigs is a file of its own: it is as large as all of the webhook, and few commands need it. */
const separateKubeconfig = {
  name: 'separate-kubeconfig',
  setup({ onResolve }) {
    onResolve({ filter: /\/kubeconfig\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './kubeconfig.js', external: true } : undefined,
    );
  },
};

/** Of Kubernetes' client only what is used: it does not say itself that its thousand models may be left out. */
const leanClient = {
  name: 'lean-client',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^\./ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData === LEAN || !resolveDir.includes('@kubernetes/client-node')) return undefined;
      const found = await resolve(path, { resolveDir, kind, pluginData: LEAN });
      return { ...found, sideEffects: false };
    });
  },
};
const LEAN = Symbol('lean');

/** The policy's schema is compiled here, and not each time that a policy file is read. */
const compiledSchema = {
  name: 'compiled-schema',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/policy\/schema\.ts$/ }, async () => ({ contents: await policyValidatorCode() }));
  },
};

const options = {
  bundle: true,
  metafile: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [builtinModules, separateKubeconfig, compiledSchema],
  legalComments: 'none',
};

// CommonJS dependencies of an ESM bundle still call require() for Node's own modules.
const REQUIRE =
  "import { createRequire as jobguardCreateRequire } from 'node:module';\nconst require = jobguardCreateRequire(import.meta.url);";

/** `>=24` is 24. */
const requiredNode = Number(engines.node.replace('>=', ''));

// Before anything that an older Node may not have: it would end with a stack, and exit code 1, which means "denied".
const CHECK_NODE = `if (Number.parseInt(process.versions.node) < ${requiredNode}) {
  console.error('error: jobguard requires Node.js ${requiredNode} or later, but this is ' + process.versions.node);
  process.exit(2);
}`;

const program = await build({
  ...options,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/jobguard.js',
  define: {
    JOBGUARD_VERSION: JSON.stringify(version),
    JOBGUARD_REVISION: JSON.stringify(process.env.JOBGUARD_REVISION ?? ''),
  },
  banner: { js: `#!/usr/bin/env node\n${REQUIRE}\n${CHECK_NODE}` },
});

// The thread that the program starts for large bodies. What it holds of others, the program does too.
await build({
  ...options,
  entryPoints: ['src/server/judging-worker.ts'],
  outfile: 'dist/judging-worker.js',
  banner: { js: REQUIRE },
});

// What is loaded for live objects alone.
const kubeconfig = await build({
  ...options,
  entryPoints: ['src/kube/kubeconfig.ts'],
  outfile: 'dist/kubeconfig.js',
  plugins: [builtinModules, leanClient],
  banner: { js: REQUIRE },
});

// What `import 'jobguard'` gives: of what the program holds, only the judgement.
await build({ ...options, entryPoints: ['src/index.ts'], outfile: 'dist/index.js', banner: { js: REQUIRE } });

writeThirdParty({ inputs: {}, outputs: { ...program.metafile.outputs, ...kubeconfig.metafile.outputs } }, 'dist');
