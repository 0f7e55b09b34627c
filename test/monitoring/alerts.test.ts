import { beforeAll, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import names from '../../release/names.json' with { type: 'json' };
import { promtool } from './prometheus.ts';
import { alertingRules, renderRules } from './alerting-rules.ts';
import { describeMonitoring } from './layer.ts';

/** Series by name and labels, with their values from minute to minute, as promtool writes them. */
type Series = Readonly<Record<string, string>>;

interface Scenario {
  readonly alert: string;
  readonly when: string;
  /** Added to the series of two healthy pods, or instead of them; an empty one takes a series away. */
  readonly series: Series;
  /** When it is looked, such as `20m`. */
  readonly at: string;
  /** How often the rules are evaluated, each minute by default: over days that takes its time. */
  readonly every?: string;
}

interface Firing extends Scenario {
  /** The severities that fire; of no other alert does any. */
  readonly severities: readonly string[];
}

const OF = 'namespace="jobguard", job="jobguard/jobguard"';
const FOUR_DAYS = 5760;
const DAY_SECONDS = 86_400;

const up = (pod: string): string => `up{${OF}, pod="${pod}"}`;
const answers = (code: number): string => `jobguard_http_requests_total{${OF}, pod="a", code="${code}"}`;
const faster = (le: string): string =>
  `jobguard_admission_duration_seconds_bucket{${OF}, pod="a", resource="tfjobs", le="${le}"}`;
const MEASURED = `jobguard_admission_duration_seconds_count{${OF}, pod="a", resource="tfjobs"}`;
const LAG = `nodejs_eventloop_lag_p99_seconds{${OF}, pod="a"}`;
const NOT_AFTER = `jobguard_certificate_not_after_timestamp_seconds{${OF}, pod="a"}`;
const FAILED_RELOADS = `jobguard_certificate_reloads_total{${OF}, pod="a", result="failure"}`;
const EXPIRES = `jobguard_exemption_expires_timestamp_seconds{${OF}, pod="a", exemption="drain"}`;
const policyOf = (pod: string, hash: string): string => `jobguard_policy_info{${OF}, pod="${pod}", hash="${hash}"}`;
const denials = (mode = 'enforce', dryRun = false): string =>
  `jobguard_admission_requests_total{${OF}, pod="a", resource="tfjobs", decision="deny", mode="${mode}", dry_run="${String(dryRun)}"}`;
const refusals = (writer: string, pod = 'a'): string =>
  `jobguard_denied_requests_total{${OF}, pod="${pod}", resource="tfjobs", writer="${writer}"}`;
const OF_WEBHOOK = 'name="jobs.jobguard.dev", type="validating"';
const failedCalls = (type = 'calling_webhook_error'): string =>
  `apiserver_admission_webhook_rejection_count{${OF_WEBHOOK}, error_type="${type}", rejection_code="0"}`;
const CONDITION_ERRORS =
  'apiserver_admission_match_condition_evaluation_errors_total' + `{${OF_WEBHOOK}, kind="webhook", operation="UPDATE"}`;
const FAILED_OPEN = `apiserver_admission_webhook_fail_open_count{${OF_WEBHOOK}}`;

/** Two pods that answer 60 requests a minute, quickly, for four days. */
const HEALTHY: Series = {
  [up('a')]: `1x${FOUR_DAYS}`,
  [up('b')]: `1x${FOUR_DAYS}`,
  [answers(200)]: `0+60x${FOUR_DAYS}`,
  [answers(500)]: `0x${FOUR_DAYS}`,
  [answers(503)]: `0x${FOUR_DAYS}`,
  [faster('0.01')]: `0+60x${FOUR_DAYS}`,
  [faster('0.1')]: `0+60x${FOUR_DAYS}`,
  [faster('1')]: `0+60x${FOUR_DAYS}`,
  [faster('5')]: `0+60x${FOUR_DAYS}`,
  [faster('+Inf')]: `0+60x${FOUR_DAYS}`,
  [MEASURED]: `0+60x${FOUR_DAYS}`,
  [LAG]: `0.01x${FOUR_DAYS}`,
  [NOT_AFTER]: `${60 * DAY_SECONDS}x${FOUR_DAYS}`,
  [FAILED_RELOADS]: `0x${FOUR_DAYS}`,
  [denials()]: `0x${FOUR_DAYS}`,
  ...Object.fromEntries(
    ['user', 'service_account', 'node', 'kueue'].flatMap((writer) =>
      ['a', 'b'].map((pod) => [refusals(writer, pod), `0x${FOUR_DAYS}`]),
    ),
  ),
  [policyOf('a', '1')]: `1x${FOUR_DAYS}`,
  [policyOf('b', '1')]: `1x${FOUR_DAYS}`,
  [failedCalls()]: `0x${FOUR_DAYS}`,
  [failedCalls('no_error')]: `0+1x${FOUR_DAYS}`,
  [FAILED_OPEN]: `0x${FOUR_DAYS}`,
};

/** When client-go's rate limiter for work queues tries: it waits 5 ms, then twice as long each time, at most 1000 s. */
const attemptTimes = (count: number): number[] => {
  const waits = Array.from({ length: count - 1 }, (_, failures) => Math.min(0.005 * 2 ** failures, 1000));
  return waits.reduce((times, wait) => [...times, (times.at(-1) ?? 0) + wait], [0]);
};

/** Scraped each minute, a counter that is at 0 until `start` and counts attempts at these seconds from then. */
const counted = (times: readonly number[], start = 10): string =>
  [
    `0x${start - 1}`,
    ...Array.from({ length: FOUR_DAYS / 4 }, (_, minute) => times.filter((time) => time <= minute * 60).length),
  ].join(' ');

/** Requests, 60 a minute, of which a number is slower than a bound. */
const slowerThan = (bound: string, slow: number): Series =>
  Object.fromEntries(
    ['0.01', '0.1', '1', '5']
      .filter((le) => Number(le) <= Number(bound))
      .map((le) => [faster(le), `0+${60 - slow}x${FOUR_DAYS}`]),
  );

const FIRES: Firing[] = [
  {
    alert: 'JobguardDown',
    when: 'no pod has been scraped for five minutes',
    series: { [up('a')]: '1x10 0x60', [up('b')]: '1x8 0x60' },
    at: '17m',
    severities: ['critical'],
  },
  {
    alert: 'JobguardDown',
    when: 'Prometheus knows of no pod',
    series: { [up('a')]: '', [up('b')]: '' },
    at: '6m',
    severities: ['critical'],
  },
  {
    alert: 'JobguardNoRedundancy',
    when: 'one of two pods has been away for fifteen minutes',
    series: { [up('b')]: '1x10 0x60' },
    at: '27m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardErrorBudgetBurn',
    when: 'two answers in a hundred are errors: somebody is woken within minutes',
    series: { [answers(500)]: `0+1x${FOUR_DAYS}`, [answers(503)]: `0+0.5x${FOUR_DAYS}` },
    at: '20m',
    severities: ['critical'],
  },
  {
    alert: 'JobguardErrorBudgetBurn',
    when: 'four answers in a thousand are errors: somebody is told',
    series: { [answers(200)]: `0+249x${FOUR_DAYS}`, [answers(500)]: `0+1x${FOUR_DAYS}` },
    at: '3h',
    severities: ['warning'],
  },
  {
    alert: 'JobguardErrorBudgetBurn',
    when: 'two answers in a thousand have been errors for three days: somebody is told',
    series: { [answers(200)]: `0+499x${FOUR_DAYS}`, [answers(500)]: `0+1x${FOUR_DAYS}` },
    at: '73h',
    every: '15m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardSlow',
    when: 'two requests in sixty take more than 0.1 s',
    series: slowerThan('0.1', 2),
    at: '25m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardSlow',
    when: 'two requests in sixty take more than half of the timeout',
    series: slowerThan('1', 2),
    at: '25m',
    severities: ['warning', 'critical'],
  },
  {
    alert: 'JobguardEventLoopLag',
    when: 'a pod has stalled for more than a quarter of the timeout, for ten minutes',
    series: { [LAG]: `1.3x${FOUR_DAYS}` },
    at: '11m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardCertificateExpiry',
    when: 'the certificate has twenty days left',
    series: { [NOT_AFTER]: `${20 * DAY_SECONDS}x${FOUR_DAYS}` },
    at: '2h',
    severities: ['warning'],
  },
  {
    alert: 'JobguardCertificateExpiry',
    when: 'the certificate has six days left on one pod of two',
    series: { [NOT_AFTER.replace('"a"', '"b"')]: `${6 * DAY_SECONDS}x${FOUR_DAYS}` },
    at: '2h',
    severities: ['warning', 'critical'],
  },
  {
    alert: 'JobguardCertificateReloadFailed',
    when: 'a certificate has been refused at each poll for a quarter of an hour',
    series: { [FAILED_RELOADS]: `0x10 0+6x${FOUR_DAYS}` },
    at: '28m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardDenialSpike',
    when: 'three updates a minute are denied, and none were the day before',
    series: { [denials()]: `0x2880 0+3x${FOUR_DAYS}` },
    at: '2910m',
    every: '15m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardDenialSpike',
    when: 'three updates a minute are denied and nothing is known of the day before',
    series: { [denials()]: `0+3x${FOUR_DAYS}` },
    at: '30m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'one service account has been refused for an hour, with the back-off of client-go',
    series: { [refusals('service_account')]: counted(attemptTimes(200)) },
    at: '70m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'one service account has been refused for a day, with the back-off of client-go',
    series: { [refusals('service_account')]: counted(attemptTimes(200)) },
    at: '1440m',
    every: '15m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'Kueue is refused, its preset is off, and two pods refuse it in turn',
    series: {
      [refusals('kueue')]: counted(attemptTimes(200).filter((_, index) => index % 2 === 0)),
      [refusals('kueue', 'b')]: counted(attemptTimes(200).filter((_, index) => index % 2 === 1)),
    },
    at: '70m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardExemptionExpires',
    when: 'an exemption has six days left',
    series: { [EXPIRES]: `${6 * DAY_SECONDS}x${FOUR_DAYS}` },
    at: '2h',
    severities: ['warning'],
  },
  {
    alert: 'JobguardPolicySkew',
    when: 'two pods have had two policies for half an hour',
    series: { [policyOf('b', '1')]: '', [policyOf('b', '2')]: `1x${FOUR_DAYS}` },
    at: '31m',
    severities: ['warning'],
  },
  {
    alert: 'JobguardUnreachable',
    when: 'every call has failed for longer than five minutes',
    series: { [failedCalls()]: `_x5 1+1x${FOUR_DAYS}` },
    at: '13m',
    severities: ['critical'],
  },
  {
    alert: 'JobguardConditionError',
    when: 'the API server fails to evaluate a condition',
    series: { [CONDITION_ERRORS]: `0x5 1+1x${FOUR_DAYS}` },
    at: '7m',
    severities: ['warning'],
  },
];

const BOTH: Firing = {
  alert: 'JobguardFailingOpen',
  when: 'updates go on passing unjudged: somebody is told at once, and woken after five minutes',
  series: { [FAILED_OPEN]: `0x5 1+1x${FOUR_DAYS}` },
  at: '13m',
  severities: ['warning'],
};

const QUIET: Scenario[] = [
  { alert: 'JobguardDown', when: 'all is well', series: {}, at: '3d', every: '15m' },
  {
    alert: 'JobguardDown',
    when: 'no pod has been scraped for four minutes',
    series: { [up('a')]: '1x10 0x60', [up('b')]: '1x10 0x60' },
    at: '15m',
  },
  {
    alert: 'JobguardNoRedundancy',
    when: 'one of two pods has been away for ten minutes, as a slow roll-out has it',
    series: { [up('b')]: '1x10 0x10 1x60' },
    at: '25m',
  },
  {
    alert: 'JobguardErrorBudgetBurn',
    when: 'one answer in a quiet cluster, of three an hour, is an error',
    series: { [answers(200)]: `0+0.05x${FOUR_DAYS}`, [answers(500)]: `0x60 1x${FOUR_DAYS}` },
    at: '70m',
  },
  {
    alert: 'JobguardErrorBudgetBurn',
    when: 'it was one error, however long one waits',
    series: { [answers(200)]: `0+0.05x${FOUR_DAYS}`, [answers(500)]: `0x60 1x${FOUR_DAYS}` },
    at: '2d',
    every: '15m',
  },
  {
    alert: 'JobguardErrorBudgetBurn',
    when: 'every answer is refused for what was sent, not for a fault of ours',
    series: { [`jobguard_http_requests_total{${OF}, pod="a", code="413"}`]: `0+60x${FOUR_DAYS}` },
    at: '3h',
  },
  {
    alert: 'JobguardSlow',
    when: 'one slow request comes in a quiet cluster',
    series: {
      ...Object.fromEntries(['0.01', '0.1', '1'].map((le) => [faster(le), `0x${FOUR_DAYS}`])),
      ...Object.fromEntries([faster('5'), faster('+Inf'), MEASURED].map((each) => [each, `0x10 1x${FOUR_DAYS}`])),
    },
    at: '22m',
  },
  {
    alert: 'JobguardSlow',
    when: 'one request in two hundred is slow',
    series: slowerThan('1', 0.3),
    at: '1h',
  },
  {
    alert: 'JobguardEventLoopLag',
    when: 'a pod stalls for a minute',
    series: { [LAG]: `0.01x10 3x1 0.01x${FOUR_DAYS}` },
    at: '12m',
  },
  {
    alert: 'JobguardCertificateExpiry',
    when: 'the certificate has thirty days left, when cert-manager renews it',
    series: { [NOT_AFTER]: `${30 * DAY_SECONDS}x${FOUR_DAYS}` },
    at: '1d',
    every: '15m',
  },
  {
    alert: 'JobguardCertificateReloadFailed',
    when: 'one half of a certificate was read before the other was there',
    series: { [FAILED_RELOADS]: `0x10 1x${FOUR_DAYS}` },
    at: '25m',
  },
  {
    alert: 'JobguardDenialSpike',
    when: 'one update is denied',
    series: { [denials()]: '0x2880 1x60' },
    at: '2890m',
    every: '10m',
  },
  {
    alert: 'JobguardDenialSpike',
    when: 'as many updates are denied as the day before',
    series: { [denials()]: `0+3x${FOUR_DAYS}` },
    at: '2d',
    every: '15m',
  },
  {
    alert: 'JobguardDenialSpike',
    when: 'the denials are dry runs, or only warnings',
    series: { [denials('enforce', true)]: `0x2880 0+30x${FOUR_DAYS}`, [denials('warn')]: `0x2880 0+30x${FOUR_DAYS}` },
    at: '2910m',
    every: '15m',
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'a controller gave up after 18 attempts in a quarter of an hour',
    series: { [refusals('service_account')]: counted(attemptTimes(18)) },
    at: '26m',
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'a controller gave up after 18 attempts, an hour ago',
    series: { [refusals('service_account')]: counted(attemptTimes(18)) },
    at: '70m',
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'a controller was let through at last, an hour ago',
    series: { [refusals('service_account')]: counted(attemptTimes(24)) },
    at: '180m',
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'somebody with the token of a service account tries a few times within the hour',
    series: { [refusals('service_account')]: counted([0, 60, 1200, 1260, 2400, 2460, 3500]) },
    at: '70m',
  },
  {
    alert: 'JobguardControllerRefused',
    when: 'people try a few times each, at every hour of the day',
    series: { [refusals('user')]: counted(Array.from({ length: 300 }, (_, index) => index * 280)) },
    at: '1395m',
    every: '15m',
  },
  {
    alert: 'JobguardExemptionExpires',
    when: 'an exemption has eight days left',
    series: { [EXPIRES]: `${8 * DAY_SECONDS}x${FOUR_DAYS}` },
    at: '2h',
  },
  {
    alert: 'JobguardExemptionExpires',
    when: 'it has expired, and the policy still has it',
    series: { [EXPIRES]: `${DAY_SECONDS}x${FOUR_DAYS}` },
    at: '25h',
    every: '15m',
  },
  {
    alert: 'JobguardPolicySkew',
    when: 'a roll-out takes twenty minutes',
    series: { [policyOf('b', '1')]: '1x10 _x20 1x60', [policyOf('b', '2')]: '_x10 1x20' },
    at: '45m',
  },
  {
    alert: 'JobguardUnreachable',
    when: 'one call failed',
    series: { [failedCalls()]: `0x10 1x${FOUR_DAYS}` },
    at: '15m',
  },
  {
    alert: 'JobguardUnreachable',
    when: 'the API server has never counted a failed call, and so has no such series',
    series: { [failedCalls()]: '', [FAILED_OPEN]: '' },
    at: '1h',
  },
  {
    alert: 'JobguardUnreachable',
    when: 'updates are denied',
    series: { [failedCalls('no_error')]: '0+50x60' },
    at: '1h',
  },
  {
    alert: 'JobguardFailingOpen',
    when: 'updates passed unjudged an hour ago',
    series: { [FAILED_OPEN]: `0x5 9x${FOUR_DAYS}` },
    at: '1h',
  },
  {
    alert: 'JobguardConditionError',
    when: 'a condition failed an hour ago, and was corrected',
    series: { [CONDITION_ERRORS]: `0x5 9x${FOUR_DAYS}` },
    at: '2h',
  },
];

/** Runs the rules over series and returns what promtool says when exactly `expected` are expected to fire. */
async function judge(
  rules: unknown,
  { series, at, every = '1m' }: Scenario,
  expected: object[],
): Promise<[number | null, string]> {
  const values = Object.entries({ ...HEALTHY, ...series }).filter(([, each]) => each !== '');
  const unitTest = {
    rule_files: ['rules.json'],
    evaluation_interval: every,
    tests: [
      {
        interval: '1m',
        input_series: values.map(([name, each]) => ({ series: name, values: each })),
        promql_expr_test: [
          {
            expr: 'count by (alertname, severity) (ALERTS{alertstate="firing"})',
            eval_time: at,
            exp_samples: expected.map((labels) => ({ labels: labelsText(labels), value: 1 })),
          },
        ],
      },
    ],
  };
  const { code, stdout, stderr } = await promtool(['test', 'rules', 'test.json'], {
    files: { 'rules.json': rules, 'test.json': unitTest },
  });
  return [code, `${stdout}${stderr}`];
}

function labelsText(labels: object): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${String(value)}"`)
    .join(', ')}}`;
}

describeMonitoring('the alerts of the chart', () => {
  let rules: unknown;
  beforeAll(async () => {
    rules = await renderRules();
  });

  const SUCCESS = [0, expect.stringContaining('SUCCESS')];

  test.each(FIRES)('$alert fires when $when, and no other does', async (scenario) => {
    const { alert: alertname, severities } = scenario;
    const expected = severities.map((severity) => ({ alertname, severity }));
    expect(await judge(rules, scenario, expected)).toEqual(SUCCESS);
  });

  test(`${BOTH.alert} fires when ${BOTH.when}`, async () => {
    const told = { alertname: 'JobguardFailingOpen', severity: 'warning' };
    const woken = { alertname: 'JobguardUnreachable', severity: 'critical' };
    expect(await judge(rules, { ...BOTH, at: '7m' }, [told])).toEqual(SUCCESS);
    expect(await judge(rules, BOTH, [told, woken])).toEqual(SUCCESS);
  });

  test.each(QUIET)('$alert is quiet when $when, and so is every other', async (scenario) => {
    expect(await judge(rules, scenario, [])).toEqual(SUCCESS);
  });

  test('a single pod that was wanted single lacks no other', async () => {
    const scenario = { alert: 'JobguardNoRedundancy', when: '', series: { [up('b')]: '' }, at: '1h' };
    expect(await judge(await renderRules({ replicaCount: 1 }), scenario, [])).toEqual(SUCCESS);
  });

  test('each has scenarios in which it fires and others in which it is quiet, in every severity', () => {
    const severities = alertingRules(rules).map(({ alert, labels }) => `${alert} ${labels['severity'] ?? ''}`);
    const fired = [...FIRES, BOTH].flatMap((each) => each.severities.map((severity) => `${each.alert} ${severity}`));
    expect(new Set(fired)).toEqual(new Set(severities));
    expect(new Set(QUIET.map(({ alert }) => alert))).toEqual(new Set(alertingRules(rules).map(({ alert }) => alert)));
  });

  test('promtool finds no fault in them, with and without those of the API server', async () => {
    for (const apiserver of [true, false]) {
      const metrics = { podMonitor: { enabled: true }, prometheusRule: { enabled: true, apiserver } };
      const file = await renderRules({ metrics });
      const { code, stdout } = await promtool(['check', 'rules', 'rules.json'], { files: { 'rules.json': file } });
      expect([code, stdout]).toEqual([0, expect.stringContaining(`SUCCESS: ${apiserver ? 17 : 14} rules found`)]);
      expect(JSON.stringify(file).includes('apiserver_')).toBe(apiserver);
      expect(JSON.stringify(file)).not.toMatch(/\$[A-Z]/);
    }
  });

  test('with a ServiceMonitor the job is called as the Service, or as the value says', async () => {
    const metrics = { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } };
    expect(JSON.stringify(await renderRules({ metrics }))).toContain(
      'up{namespace=\\"jobguard\\", job=\\"jobguard\\"}',
    );
    const named = { prometheusRule: { enabled: true, job: 'guard' } };
    expect(JSON.stringify(await renderRules({ metrics: named }))).toContain('job=\\"guard\\"}');
  });
});

const RUNBOOKS = join(import.meta.dirname, '../../docs/runbooks');
const SECTIONS = ['Meaning', 'Impact', 'Diagnosis', 'Fix', 'Silence'];

describeMonitoring('the runbooks', () => {
  test('every alert says in short and at length what is wrong, and names its page; every page has its alert', async () => {
    const rules = alertingRules(await renderRules());
    for (const { alert, annotations } of rules) {
      expect(annotations).toEqual({
        summary: expect.stringMatching(/^.{10,90}\.$/),
        description: expect.stringMatching(/^.{40,}\.$/s),
        runbook_url: `https://github.com/${names.repository}/blob/main/docs/runbooks/${alert}.md`,
      });
    }
    const pages = readdirSync(RUNBOOKS).map((file) => basename(file, '.md'));
    expect(new Set(rules.map(({ alert }) => alert))).toEqual(new Set(pages));
  });

  test.each(readdirSync(RUNBOOKS))('%s has its sections, none of them empty', (file) => {
    const [head = '', ...sections] = readFileSync(join(RUNBOOKS, file), 'utf8').split(/^## /m);
    expect(head.trim()).toBe(`# ${basename(file, '.md')}`);
    expect(sections.map((section) => section.split('\n')[0])).toEqual(SECTIONS);
    for (const section of sections) expect(section.length).toBeGreaterThan(60);
    expect(sections.at(-1)).toContain(`amtool silence add alertname=${basename(file, '.md')} `);
  });
});
