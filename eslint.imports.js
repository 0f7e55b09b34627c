import { dirname, relative, resolve } from 'node:path';

const ROOT = import.meta.dirname;

/**
 * Reports every import of a file in the project that no entry of `mayImport` covers: static, dynamic, of a type, or
 * exported again.
 */
const direction = {
  meta: {
    type: 'problem',
    schema: [
      {
        type: 'object',
        properties: { folder: { type: 'string' }, mayImport: { type: 'array', items: { type: 'string' } } },
        required: ['folder', 'mayImport'],
        additionalProperties: false,
      },
    ],
    messages: { wrong: '{{ folder }} must not import {{ path }}; it may import {{ mayImport }}' },
  },
  create(context) {
    const [{ folder, mayImport }] = context.options;
    const check = ({ source }) => {
      if (typeof source?.value !== 'string' || !source.value.startsWith('.')) return;
      const path = relative(ROOT, resolve(dirname(context.filename), source.value));
      if (mayImport.some((start) => path === start || path.startsWith(`${start}/`))) return;
      context.report({
        node: source,
        messageId: 'wrong',
        data: { folder, path, mayImport: mayImport.join(', ') || 'nothing' },
      });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportAllDeclaration: check,
      ExportNamedDeclaration: check,
      TSImportType: check,
    };
  },
};

/** What each folder may import of this project, beside its own files. */
const MAY_IMPORT = {
  'src/main.ts': ['src/commands'],
  'src/index.ts': ['src/policy', 'src/core'],
  'src/commands': ['src/server', 'src/tls', 'src/telemetry', 'src/kube', 'src/policy', 'src/core'],
  'src/server': ['src/tls', 'src/telemetry', 'src/policy', 'src/core'],
  'src/tls': ['src/telemetry'],
  'src/telemetry': ['src/policy', 'src/core'],
  'src/kube': ['src/policy', 'src/core'],
  'src/policy': ['src/core', 'schemas'],
  'src/core': [],
  build: ['src/policy', 'schemas'],
  tools: [],
  charts: ['tools'],
  deploy: ['tools'],
  release: ['charts', 'tools'],
  examples: ['tools'],
  site: ['src', 'schemas', 'build', 'release', 'examples', 'package.json'],
};

/** A path as text is an import, too: what only tests need is nobody else's. */
const IN_TEST = String.raw`/^(\.\.\u002F)*test($|\u002F)/`;

/** The rules for each row of the table. */
export const importDirections = Object.entries(MAY_IMPORT).map(([folder, others]) => ({
  files: folder.endsWith('.ts') ? [folder] : [`${folder}/**`],
  plugins: { imports: { rules: { direction } } },
  rules: {
    'imports/direction': ['error', { folder, mayImport: [folder, ...others] }],
    'no-restricted-syntax': [
      'error',
      {
        selector: `:matches(Literal[value=${IN_TEST}], TemplateElement[value.raw=${IN_TEST}])`,
        message: `${folder} reads nothing below test`,
      },
    ],
  },
}));
