import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** An API server that says of every store it is asked for that it is there and empty. */
export interface StubApiServer extends AsyncDisposable {
  readonly kubeconfig: string;
}

/** Starts what Pepr wants to find its store in before it serves, and writes the kubeconfig to it into a folder. */
export async function startStubApiServer(folder: string): Promise<StubApiServer> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://stub');
    const named = searchParams.get('fieldSelector')?.split('=')[1];
    const store = storeNamed(named ?? pathname.split('/').at(-1) ?? '');
    response.setHeader('Content-Type', 'application/json');
    if (searchParams.has('watch')) response.write(`${JSON.stringify({ type: 'ADDED', object: store })}\n`);
    else if (named === undefined) response.end(JSON.stringify(store));
    else response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [store] }));
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
  return { apiVersion: 'pepr.dev/v1', kind: 'PeprStore', metadata, data: { __pepr_do_not_delete__: 'k-thx-bye' } };
}

function kubeconfigFor(port: number): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'stub', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'stub', user: {} }],
    contexts: [{ name: 'stub', context: { cluster: 'stub', user: 'stub' } }],
    'current-context': 'stub',
  };
}
