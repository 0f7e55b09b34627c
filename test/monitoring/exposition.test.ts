import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { collectProcessMetrics } from '../../src/telemetry/metrics.ts';
import { call } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { promtool } from './prometheus.ts';
import { reviewText } from '../support/review.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { describeMonitoring } from './layer.ts';

describeMonitoring('what /metrics says', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    collectProcessMetrics(server.metrics.registry);
  });
  afterAll(() => server.end());

  const scrape = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${server.metricsPort ?? 0}/metrics`)).text();

  test('promtool has nothing to say against, before the first request and after some', async () => {
    expect(await promtool(['check', 'metrics'], { stdin: await scrape() })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    for (const replicas of [2, 3]) {
      const object = withValue(TF_JOB, '/spec/tfReplicaSpecs/Worker/replicas', replicas);
      await call(server.endpoint, { body: reviewText({ oldObject: TF_JOB, object }) });
    }
    expect(await promtool(['check', 'metrics'], { stdin: await scrape() })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('promtool does look', async () => {
    const { code } = await promtool(['check', 'metrics'], { stdin: '# TYPE a_total gauge\na_total 1\n' });
    expect(code).toBe(3);
  });
});
