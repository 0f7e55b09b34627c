import tseslint from 'typescript-eslint';

/** Forbids imports that match `regex`, so that dependencies point one way: main → commands → server, config → core. */
const importsPointInwards = (regex, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ regex, message }] }],
});

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      complexity: ['error', 12],
      eqeqeq: 'error',
      'max-depth': ['error', 3],
      'no-else-return': 'error',
      'no-param-reassign': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A literal index into a tuple is checked by the compiler (noUncheckedIndexedAccess).
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/core/**'],
    rules: {
      ...importsPointInwards('^(?!\\./[^/]+$|ajv$)', 'core is pure: it imports its own files and ajv, nothing else'),
      'no-restricted-globals': [
        'error',
        ...[
          'process',
          'console',
          'Buffer',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'fetch',
          'performance',
          'crypto',
        ],
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'core has no clock' },
        { object: 'Math', property: 'random', message: 'core is deterministic' },
      ],
    },
  },
  {
    files: ['src/server/**', 'src/config.ts', 'src/policy/**', 'src/tls/**', 'src/telemetry/**', 'src/kube/**'],
    rules: importsPointInwards('(^|/)(commands/|main\\.ts)', 'imports point one way: main → commands → server → core'),
  },
  { files: ['src/commands/**'], rules: importsPointInwards('main\\.ts$', 'imports point one way: main → commands') },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
);
