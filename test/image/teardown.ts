import { eventually } from '../../tools/eventually.ts';
import { DOCKERD_PID } from './setup.ts';

/** Ends the Docker engine that the setup started; one that was there before goes on. */
export default async function teardown(): Promise<void> {
  const pid = Number(process.env[DOCKERD_PID] ?? NaN);
  if (Number.isNaN(pid)) return;
  process.kill(pid, 'SIGTERM');
  await eventually('dockerd to end', () => Promise.resolve(isAlive(pid) ? undefined : true));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
