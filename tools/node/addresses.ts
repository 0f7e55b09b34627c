import { run } from '../child-process.ts';
import { at } from '../json-at.ts';

/** The addresses of a node and its cluster, all of one block that nothing else here leads to. */
export interface Addresses {
  /** The first address of the Services, so that the API server's certificate holds for the Service `kubernetes` too. */
  readonly apiServer: string;
  readonly node: string;
  /** A range, as in `10.96.0.0/17`; likewise `pods`. */
  readonly services: string;
  readonly pods: string;
}

/** A route of a machine. */
export interface Route {
  /** `default`, an address, or a range. */
  readonly destination: string;
  /** The link that it goes through; a route that drops packets has none. */
  readonly device?: string | undefined;
}

/** Private blocks of 65 536 addresses each (RFC 1918), in the order of preference: kubeadm's Services begin at 10.96.0.0. */
const BLOCKS = [
  ...Array.from({ length: 256 }, (_, index) => `10.${(96 + index) % 256}`),
  ...Array.from({ length: 16 }, (_, index) => `172.${16 + index}`),
];
const BLOCK_BITS = 16;
/** Wider routes, such as a VPN's 0.0.0.0/1, are default routes by another name: a route to a block goes before them. */
const WIDEST_BITS = 8;

/** Returns addresses that this machine has no route to. */
export async function freeAddresses(): Promise<Addresses> {
  const { code, stdout, stderr } = await run('ip', ['-4', '-json', 'route', 'show', 'table', 'all']);
  if (code !== 0) throw new Error(`The routes of this machine cannot be read: ${stderr}`);
  const listed: unknown = JSON.parse(stdout);
  return addressesBeside(Array.isArray(listed) ? listed.map(routeOf) : []);
}

/**
 * Returns addresses of the first block that no route leads into.
 *
 * @throws Error that names the routes in the way, where there is no such block
 */
export function addressesBeside(routes: readonly Route[]): Addresses {
  const taken = routes.map(rangeOf).filter(({ bits }) => bits >= WIDEST_BITS);
  const free = BLOCKS.find((block) => !taken.some((range) => overlap(range, blockRange(block))));
  if (free !== undefined) {
    return {
      apiServer: `${free}.0.1`,
      services: `${free}.0.0/17`,
      pods: `${free}.128.0/24`,
      node: `${free}.129.1`,
    };
  }
  const inTheWay = taken.filter((range) => BLOCKS.some((block) => overlap(range, blockRange(block))));
  const names = inTheWay.map(({ name }) => name).join(', ');
  throw new Error(
    `No range of private addresses is free for the node's Services and pods. Routes in the way: ${names}`,
  );
}

function routeOf(listed: unknown): Route {
  const device = at(listed, 'dev');
  return { destination: String(at(listed, 'dst')), device: typeof device === 'string' ? device : undefined };
}

interface Range {
  readonly name: string;
  readonly first: number;
  readonly bits: number;
}

function rangeOf({ destination, device }: Route): Range {
  const [address = '', bits = '32'] = destination === 'default' ? ['0.0.0.0', '0'] : destination.split('/');
  const first = address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
  return { name: device === undefined ? destination : `${destination} dev ${device}`, first, bits: Number(bits) };
}

function blockRange(block: string): Range {
  return rangeOf({ destination: `${block}.0.0/${BLOCK_BITS}` });
}

function overlap(one: Range, other: Range): boolean {
  const size = 2 ** (32 - Math.min(one.bits, other.bits));
  return Math.floor(one.first / size) === Math.floor(other.first / size);
}
