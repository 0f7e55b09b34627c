import { describe, expect, test } from '@jest/globals';
import { addressesBeside, type Route } from '../../tools/node/addresses.ts';

const KUBEADM = { apiServer: '10.96.0.1', services: '10.96.0.0/17', pods: '10.96.128.0/24', node: '10.96.129.1' };
const NEXT = { apiServer: '10.97.0.1', services: '10.97.0.0/17', pods: '10.97.128.0/24', node: '10.97.129.1' };
const OTHER = { apiServer: '172.16.0.1', services: '172.16.0.0/17', pods: '172.16.128.0/24', node: '172.16.129.1' };

interface Machine {
  readonly title: string;
  readonly routes: readonly Route[];
  readonly expected: object;
}

describe('the addresses of the tests’ node', () => {
  test.each<Machine>([
    { title: 'are near kubeadm’s where no route is', routes: [], expected: KUBEADM },
    {
      title: 'may lie below a default route',
      routes: [{ destination: 'default', device: 'eth0' }, { destination: '0.0.0.0/0' }],
      expected: KUBEADM,
    },
    {
      title: 'may lie below the halves of a VPN’s default route',
      routes: [{ destination: '0.0.0.0/1' }, { destination: '128.0.0.0/1' }],
      expected: KUBEADM,
    },
    {
      title: 'are not where another cluster has its pods',
      routes: [{ destination: '10.96.128.0/24', device: 'cni0' }],
      expected: NEXT,
    },
    { title: 'are not around a single address', routes: [{ destination: '10.96.255.255' }], expected: NEXT },
    {
      title: 'are not inside a wider route',
      routes: [{ destination: '10.96.0.0/16', device: 'tun0' }],
      expected: NEXT,
    },
    {
      title: 'are of another private block where one is routed whole',
      routes: [{ destination: '10.0.0.0/8', device: 'tun0' }],
      expected: OTHER,
    },
    {
      title: 'need not heed a neighbour',
      routes: [{ destination: '10.95.0.0/16' }, { destination: '10.97.0.0/16' }],
      expected: KUBEADM,
    },
  ])('$title', ({ routes, expected }) => {
    expect(addressesBeside(routes)).toEqual(expected);
  });

  test('cannot be had where every private block is routed, and the error names the routes in the way', () => {
    const routes = [
      { destination: '192.0.2.0/24', device: 'eth0' },
      { destination: '10.0.0.0/8', device: 'tun0' },
      { destination: '172.16.0.0/12' },
    ];
    expect(() => addressesBeside(routes)).toThrow(
      "No range of private addresses is free for the node's Services and pods. " +
        'Routes in the way: 10.0.0.0/8 dev tun0, 172.16.0.0/12',
    );
  });
});
