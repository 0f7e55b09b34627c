import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { writeThirdParty } from './build/third-party.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/jobguard.js',
  bundle: true,
  metafile: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'none',
  define: {
    JOBGUARD_VERSION: JSON.stringify(version),
    JOBGUARD_REVISION: JSON.stringify(process.env.JOBGUARD_REVISION ?? ''),
    // express asks for it; the program reads no environment variable.
    'process.env.NODE_ENV': '"production"',
  },
  // CommonJS dependencies of an ESM bundle still call require() for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as jobguardCreateRequire } from 'node:module';\nconst require = jobguardCreateRequire(import.meta.url);",
  },
});

writeThirdParty(metafile, 'dist');
