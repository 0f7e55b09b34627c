import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Passes connections on, as a Service does: each to the next of those that are ready. */
export interface Front extends AsyncDisposable {
  readonly port: number;
  /** Where new connections go. */
  targets: () => readonly number[];
  /** Sets where new connections go from now on. Nowhere: they are refused, and open ones end. */
  leadTo: (ports: readonly number[]) => void;
}

export async function startFront(): Promise<Front> {
  const open = new Set<Socket>();
  let targets: readonly number[] = [];
  let turn = 0;
  const follow = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => open.delete(socket));
  };
  const server = createServer((client) => {
    follow(client);
    const target = targets[(turn += 1) % targets.length];
    if (target === undefined) return void client.destroy();
    const behind = connect(target, '127.0.0.1');
    follow(behind);
    client.pipe(behind).pipe(client);
    client.once('close', () => behind.destroy());
    behind.once('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const endAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    targets: () => targets,
    leadTo: (ports) => {
      targets = ports;
      if (ports.length === 0) endAll();
    },
    [Symbol.asyncDispose]: async () => {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}
