import { expect, test } from '@jest/globals';
import { Agent, request as httpsRequest } from 'node:https';
import { eventually } from '../../tools/eventually.ts';
import { answerTo, call, requestOptions } from '../support/https-client.ts';
import { TF_JOB } from '../support/job.ts';
import { reviewText } from '../support/review.ts';
import { startContainer } from './jobguard-container.ts';
import { CONTAINER_TIMEOUT_MS, describeWithDocker } from './layer.ts';

const REVIEW = reviewText({ oldObject: TF_JOB, object: TF_JOB });

describeWithDocker('docker stop', () => {
  test(
    'ends a container with code 0, after every request that reached it while it drained was answered',
    async () => {
      await using container = await startContainer({ flags: ['--shutdown-delay', '3s', '--shutdown-timeout', '30s'] });
      const { endpoint, metricsPort } = container;
      const agent = new Agent({ keepAlive: true });

      const early = httpsRequest(requestOptions(endpoint, {}));
      const earlyAnswer = answerTo(early);
      early.write(REVIEW.slice(0, 10));

      const statuses: unknown[] = [];
      let isRouted = true;
      const client = async (): Promise<void> => {
        while (isRouted) statuses.push((await call(endpoint, { agent, body: REVIEW })).status);
      };
      const clients = [client(), client(), client(), client()];

      const stopped = container.stop();
      await eventually('the drain', async () => {
        const { status } = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
        return status === 503 ? true : undefined;
      });
      // Until every API server has learnt of the drain, requests keep coming.
      const atDrain = statuses.length;
      await eventually('requests during the drain', () =>
        Promise.resolve(statuses.length > atDrain + 100 || undefined),
      );
      isRouted = false;
      await Promise.all(clients);
      agent.destroy();

      await eventually('the end of new connections', () =>
        call(endpoint, { body: REVIEW }).then(
          () => undefined,
          () => true,
        ),
      );
      early.end(REVIEW.slice(10));

      expect((await earlyAnswer).status).toBe(200);
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(await stopped).toEqual({ exitCode: 0, isKilledForMemory: false });
    },
    CONTAINER_TIMEOUT_MS,
  );
});
