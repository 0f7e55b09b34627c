/** Starts a node on this machine, stops it, and prints its addresses, or why there is none, and then which routes are left. */
import { run } from '../../tools/child-process.ts';
import { startNode } from '../../tools/node/node.ts';

const outcome = await startNode().then(
  async ({ addresses, stop }) => {
    await stop();
    return { addresses };
  },
  (error: unknown) => ({ error: String(error) }),
);
const routes = await run('ip', ['-4', 'route']);
process.stdout.write(JSON.stringify({ ...outcome, routes: routes.stdout.trim().split(/ *\n/) }));
