/** How Stryker runs the tests; run.ts says of which file it changes what, and which tests those are. */
export default {
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  jest: { projectType: 'custom', configFile: 'test/mutation/jest.config.js', enableFindRelatedTests: false },
  // Jest runs the sources as ES modules.
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  // A mutant has to pass the tests that reach it and no others.
  coverageAnalysis: 'perTest',
  // Stryker ends an endless loop by counting its turns. Time is the last resort, and a busy machine must not kill a mutant.
  timeoutMS: 60_000,
  dryRunTimeoutMinutes: 30,
  ignorePatterns: ['/coverage', '/dist'],
  allowEmpty: true,
  reporters: [],
  logLevel: 'error',
};
