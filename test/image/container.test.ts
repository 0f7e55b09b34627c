import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { eventually } from '../../tools/eventually.ts';
import { call, type Endpoint } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { at } from '../../tools/json-at.ts';
import { reviewText } from '../support/review.ts';
import { startContainer, type JobguardContainer } from './jobguard-container.ts';
import { CONTAINER_TIMEOUT_MS, describeWithDocker } from './layer.ts';

describeWithDocker('a container as the chart runs it', () => {
  const undo = new AsyncDisposableStack();
  let container: JobguardContainer;

  beforeAll(async () => {
    container = undo.use(await startContainer());
  }, CONTAINER_TIMEOUT_MS);
  afterAll(() => undo.disposeAsync(), CONTAINER_TIMEOUT_MS);

  test('has an unknown user, no capability, no way to more, and nothing to write on', async () => {
    const line = `JSON.stringify({
      isUnknownUser: process.getuid() >= 1e9,
      privileges: fs.readFileSync('/proc/1/status', 'utf8').match(/^(Cap\\w+|NoNewPrivs):.*$/gm),
      writing: ['/', '/app', '/tmp', '/etc/jobguard/tls'].map((folder) => {
        try { fs.writeFileSync(folder + '/file', ''); return 'written'; } catch ({ code }) { return code; }
      }),
    })`;
    const none = `\t${'0'.repeat(16)}`;
    expect(JSON.parse(await container.evaluate(line))).toEqual({
      isUnknownUser: true,
      privileges: [
        ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => `${set}:${none}`),
        'NoNewPrivs:\t1',
      ],
      writing: [...Array<string>(4)].map(() => expect.stringMatching(/^(EROFS|ENOENT|EACCES)$/)),
    });
  });

  test.each([
    ['an allowed update', '/metadata/labels/team', 'audio', true],
    ['a forbidden update', '/spec/tfReplicaSpecs/Worker/replicas', 4, false],
  ])('answers %s over TLS', async (_what, pointer, value, allowed) => {
    const review = reviewText({ oldObject: TF_JOB, object: withValue(TF_JOB, pointer, value) });
    const answer = await call(container.endpoint, { body: review });
    expect([answer.status, at(JSON.parse(answer.text), 'response', 'allowed')]).toEqual([200, allowed]);
  });

  test(
    'serves a renewed certificate of the mounted Secret',
    async () => {
      const before = await servedName(container.endpoint);
      await container.secret.replace(await container.authority.issue('second'));
      const after = await eventually('the renewed certificate', async () => {
        const name = await servedName(container.endpoint);
        return name === before ? undefined : name;
      });
      expect([before, after]).toEqual(['first', 'second']);
    },
    CONTAINER_TIMEOUT_MS,
  );
});

describeWithDocker('a container with the memory of the chart', () => {
  test(
    'survives the densest update that an API server can send, and denies it',
    async () => {
      await using container = await startContainer({ memoryMiB: 768 });
      const tolerations = (bytes: number): string => `[${Array.from({ length: bytes / 3 }, () => '{}').join(',')}]`;
      const job = (bytes: number): string => `{"spec":{"tfReplicaSpecs":{"Worker":{"template":{"spec":
        {"tolerations":${tolerations(bytes)}}}}}}}`;
      const body = reviewText({ oldObject: job(1_500_000), object: job(3_000_000) });
      const answers = await Promise.all([1, 2, 3, 4].map(() => call(container.endpoint, { body })));
      const annotation = ['response', 'auditAnnotations', 'denied-count'] as const;
      expect(answers.map(({ text }) => at(JSON.parse(text), ...annotation))).toEqual(Array(4).fill('500000'));
    },
    CONTAINER_TIMEOUT_MS,
  );
});

/** Returns the name on the certificate that a new connection gets. */
async function servedName({ port, ca }: Endpoint): Promise<string | string[] | undefined> {
  const socket = connect({ host: '127.0.0.1', port, ca });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}
