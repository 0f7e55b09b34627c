import type { Exemption } from '../core/policy.ts';
import type { Logger } from './log.ts';

const HOUR_MS = 3_600_000;
/** How long before its end an exemption is announced: as long as the alert JobguardExemptionExpires. */
const NOTICE_MS = 7 * 24 * HOUR_MS;
/** Longest time between two looks at the clock, which may be corrected. setTimeout takes 24 days at most. */
const MAX_WAIT_MS = HOUR_MS;

type Stage = 'valid' | 'ending' | 'expired';

const MESSAGES: Readonly<Record<Exclude<Stage, 'valid'>, string>> = {
  ending: 'exemption expires within a week',
  expired: 'exemption expired',
};

/**
 * Logs at `warn` which exemptions have expired or will within a week: now, and later when another gets there. It does
 * not keep the process alive.
 */
export function logExpiries(exemptions: readonly Exemption[], log: Logger): void {
  const expiring = exemptions.flatMap(({ name, expiresMs }) => (expiresMs === undefined ? [] : [{ name, expiresMs }]));
  const logged = new Map<string, Stage>();
  const look = (): void => {
    const nowMs = Date.now();
    for (const { name, expiresMs } of expiring) {
      const stage = stageAt(nowMs, expiresMs);
      if (stage === 'valid' || logged.get(name) === stage) continue;
      logged.set(name, stage);
      log.warn({ exemption: name, expires: new Date(expiresMs).toISOString() }, MESSAGES[stage]);
    }
    const waits = expiring
      .flatMap(({ expiresMs }) => [expiresMs - NOTICE_MS - nowMs, expiresMs - nowMs])
      .filter((ms) => ms > 0);
    if (waits.length > 0) setTimeout(look, Math.min(...waits, MAX_WAIT_MS)).unref();
  };
  look();
}

function stageAt(nowMs: number, expiresMs: number): Stage {
  if (nowMs >= expiresMs) return 'expired';
  return nowMs >= expiresMs - NOTICE_MS ? 'ending' : 'valid';
}
