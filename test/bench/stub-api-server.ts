import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** An API server that says of whatever it is asked that it is there and empty. */
export interface StubApiServer extends AsyncDisposable {
  readonly kubeconfig: string;
}

/** Starts what Pepr wants to find its store in before it serves, and writes the kubeconfig to it into a folder. */
export async function startStubApiServer(folder: string): Promise<StubApiServer> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://stub');
    response.setHeader('Content-Type', 'application/json');
    if (searchParams.has('watch')) response.flushHeaders();
    else response.end(JSON.stringify(storeNamed(pathname.split('/').at(-1) ?? '')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const kubeconfig = join(folder, 'stub-kubeconfig.json');
  await writeFile(kubeconfig, JSON.stringify(kubeconfigFor(port)));
  return {
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function storeNamed(name: string): object {
  const metadata = { name, namespace: 'pepr-system', resourceVersion: '1' };
  return { apiVersion: 'pepr.dev/v1', kind: 'PeprStore', metadata, data: {} };
}

function kubeconfigFor(port: number): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'stub', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'stub', user: {} }],
    contexts: [{ name: 'stub', context: { cluster: 'stub', user: 'stub' } }],
    'current-context': 'stub',
  };
}
