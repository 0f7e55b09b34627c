import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { writeThirdParty } from './build/third-party.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const options = {
  bundle: true,
  metafile: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'none',
};

// CommonJS dependencies of an ESM bundle still call require() for Node's own modules.
const REQUIRE =
  "import { createRequire as jobguardCreateRequire } from 'node:module';\nconst require = jobguardCreateRequire(import.meta.url);";

const program = await build({
  ...options,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/jobguard.js',
  define: {
    JOBGUARD_VERSION: JSON.stringify(version),
    JOBGUARD_REVISION: JSON.stringify(process.env.JOBGUARD_REVISION ?? ''),
    // express asks for it; the program reads no environment variable.
    'process.env.NODE_ENV': '"production"',
  },
  banner: { js: `#!/usr/bin/env node\n${REQUIRE}` },
});

// What `import 'jobguard'` gives: of what the program holds, only the judgement.
await build({ ...options, entryPoints: ['src/index.ts'], outfile: 'dist/index.js', banner: { js: REQUIRE } });

writeThirdParty(program.metafile, 'dist');
