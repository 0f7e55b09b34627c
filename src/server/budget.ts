import type { HttpError } from './http.ts';

/** Something that is waited for, and how to stop waiting: `done` rejects with that error then, unless it is settled. */
export interface Waiting<T> {
  readonly done: Promise<T>;
  readonly stop: (error: HttpError) => void;
}

export interface BudgetLimits {
  readonly bytes: number;
  /** Most that one client holds while it holds more than one thing. */
  readonly bytesOfClient: number;
}

/** Bytes that a client asks for. */
interface Claim {
  readonly client: string;
  readonly bytes: number;
  readonly grant: () => void;
}

/** Shares out memory: a client reserves bytes, waiting until they are free, and releases them. */
export interface Budget {
  /** Returns what releases the bytes. */
  reserve(client: string, bytes: number): Waiting<() => void>;
}

/**
 * Creates a budget. The client that holds least comes first, and between equals the one that has waited longest. Nobody
 * overtakes it because it needs less, so that every claim is met in the end.
 */
export function createBudget({ bytes: capacity, bytesOfClient }: BudgetLimits): Budget {
  const waiting = new Set<Claim>();
  const held = new Map<string, number>();
  let total = 0;

  const heldBy = (client: string): number => held.get(client) ?? 0;
  const hold = (client: string, bytes: number): void => {
    total += bytes;
    const left = heldBy(client) + bytes;
    if (left === 0) held.delete(client);
    else held.set(client, left);
  };
  const hasShare = ({ client, bytes }: Claim): boolean => {
    return heldBy(client) === 0 || heldBy(client) + bytes <= bytesOfClient;
  };
  const first = (): Claim | undefined => {
    const claims = [...waiting].filter(hasShare);
    const least = Math.min(...claims.map(({ client }) => heldBy(client)));
    return claims.find(({ client }) => heldBy(client) === least);
  };
  const grant = (): void => {
    for (let claim = first(); claim !== undefined && total + claim.bytes <= capacity; claim = first()) {
      waiting.delete(claim);
      hold(claim.client, claim.bytes);
      claim.grant();
    }
  };

  return {
    reserve: (client, bytes) => {
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const release = (): void => {
        hold(client, -bytes);
        grant();
      };
      const claim = { client, bytes, grant: () => resolve(release) };
      waiting.add(claim);
      grant();
      const stop = (error: HttpError): void => {
        if (!waiting.delete(claim)) return;
        reject(error);
        grant();
      };
      return { done: promise, stop };
    },
  };
}
