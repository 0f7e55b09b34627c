import type { OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';

// Of the client the kubeconfig alone: its typed API would round numbers that JavaScript cannot hold.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';

/** Which cluster is meant, as with kubectl. */
export interface KubeconfigChoice {
  /** The file; undefined for those of `KUBECONFIG`, or `~/.kube/config`, or the service account of a pod. */
  readonly file: string | undefined;
  /** undefined for the current context. */
  readonly context: string | undefined;
}

/** Credentials, certificates and proxy for a request. */
export interface Credentials extends RequestOptions {
  readonly headers: OutgoingHttpHeaders;
}

/** How the API server of a context is reached. */
export interface Access {
  readonly server: string;
  readonly namespace: string | undefined;
  /** What the kubeconfig calls the user. */
  readonly user: string;
  /** May run an exec plugin; rejects where that fails. */
  readonly credentials: () => Promise<Credentials>;
}

/** What the client takes where there is no kubeconfig at all. */
const NOWHERE = 'http://localhost:8080';

/**
 * Reads a kubeconfig. It is built as a file of its own, `kubeconfig.js`, which is loaded for live objects alone.
 *
 * @throws Error whose message says what is wrong with the kubeconfig
 */
export function readAccess({ file, context }: KubeconfigChoice): Access {
  const config = readConfig(file);
  if (context !== undefined) config.setCurrentContext(context);
  const name = config.getCurrentContext() as string | undefined;
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(problemOf(name, config));
  return {
    server: cluster.server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    user: config.getCurrentUser()?.name ?? '',
    credentials: async () => {
      const options: Credentials = { headers: {} };
      await config.applyToHTTPSOptions(options);
      return options;
    },
  };
}

function readConfig(file: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (file !== undefined) {
    config.loadFromFile(file);
    return config;
  }
  config.loadFromDefault();
  if (config.getCurrentCluster()?.server !== NOWHERE) return config;
  throw new Error('there is none: set KUBECONFIG, or name one with --kubeconfig');
}

function problemOf(context: string | undefined, config: KubeConfig): string {
  if (context === undefined || context === '') {
    return 'has no current context: choose one with kubectl config use-context, or name one with --context';
  }
  const found = config.getContextObject(context);
  if (found === null) return `has no context "${context}"`;
  return `has no cluster "${found.cluster}", which the context "${context}" names`;
}
