// Replaced by text when the bundle is built: see esbuild.config.js. Source run as it stands knows neither.
declare const JOBGUARD_VERSION: string | undefined;
declare const JOBGUARD_REVISION: string | undefined;

/** What a running program says about itself. */
export interface BuildInfo {
  readonly version: string;
  /** The commit that it was built from; '' where unknown. */
  readonly revision: string;
  readonly nodeVersion: string;
  /** The `apiVersion` of the policy files that it reads. */
  readonly policyVersion: string;
}

export const BUILD_INFO: BuildInfo = {
  version: typeof JOBGUARD_VERSION === 'undefined' ? '0.0.0-dev' : JOBGUARD_VERSION,
  revision: typeof JOBGUARD_REVISION === 'undefined' ? '' : JOBGUARD_REVISION,
  nodeVersion: process.versions.node,
  policyVersion: 'jobguard/v1',
};
