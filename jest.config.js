/** One project a test layer, so that each can be run alone: `npm test -- --selectProjects unit`. */
const layer = (name, options = {}) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.js' },
  testEnvironment: 'node',
  ...options,
});

export default {
  projects: [
    layer('unit'),
    layer('property'),
    layer('integration'),
    layer('site', { globalSetup: '<rootDir>/test/site/setup.ts' }),
    layer('bench'),
    layer('apiserver', { globalSetup: '<rootDir>/test/apiserver/setup.ts' }),
    layer('controllers', { globalSetup: '<rootDir>/test/controllers/setup.ts' }),
    layer('chart', { globalSetup: '<rootDir>/test/chart/setup.ts' }),
    layer('monitoring', { globalSetup: '<rootDir>/test/monitoring/setup.ts' }),
    layer('image', {
      globalSetup: '<rootDir>/test/image/setup.ts',
      globalTeardown: '<rootDir>/test/image/teardown.ts',
    }),
    layer('e2e', { globalSetup: '<rootDir>/test/e2e/setup.ts', globalTeardown: '<rootDir>/test/e2e/teardown.ts' }),
  ],
  reporters: ['default', '<rootDir>/test/support/count-reporter.js'],
  // Helm takes a second a run on an idle machine, and ten on a busy one. A test that hangs still ends.
  testTimeout: 60_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/core/**/*.ts'],
  coverageThreshold: { global: { lines: 100, branches: 100 } },
};
