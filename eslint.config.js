import tseslint from 'typescript-eslint';

import { importDirections } from './eslint.imports.js';

export default tseslint.config(
  {
    ignores: [
      ...['dist/', 'coverage/', 'node_modules/', '.cache/'],
      ...['site/dist/', 'site/.vitepress/.temp/', 'site/.vitepress/*.timestamp-*'],
    ],
  },
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
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A literal index into a tuple is checked by the compiler (noUncheckedIndexedAccess).
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/core/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^(?!\\.|ajv$)', message: 'core is pure: it imports no package but ajv, and no Node module' },
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'console', 'Buffer', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'performance'],
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'core has no clock' },
        { object: 'Math', property: 'random', message: 'core is deterministic' },
      ],
    },
  },
  {
    files: ['src/**'],
    rules: {
      complexity: ['error', 8],
      'max-lines-per-function': ['error', { max: 50 }],
      'max-params': ['error', 4],
    },
  },
  ...importDirections,
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
    rules: {
      ...tseslint.configs.disableTypeChecked.rules,
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
);
