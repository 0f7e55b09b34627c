import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

import type { AdmissionRequest } from '../core/admission.ts';
import { isAllowed, type Decision, type Verdict } from '../core/decide.ts';
import type { Explanation } from '../core/explain.ts';
import { FIELD_CLASSES } from '../core/field-class.ts';
import type { GuardedResource, Policy } from '../core/policy.ts';
import type { BuildInfo } from './build-info.ts';
import { countedSeries, level, observedSeries, type CountedSeries, type Level, type ObservedSeries } from './series.ts';
import { writerClass, writerClasses, type WriterClass } from './writer-class.ts';

const OUTCOMES: readonly Decision['outcome'][] = ['allow', 'deny', 'exempt', 'out_of_scope', 'unjudgeable'];
/** What every resource that the policy does not guard is counted as, so that labels stay bounded. */
const OTHER_RESOURCE = 'other';

/** Among them 0.1 s, which is slow, and the timeouts of the chart (5), of Kubernetes (10) and the longest there is (30). */
const DURATION_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** 1 KiB to 16 MiB, close below the default limit, by fours. */
const SIZE_BUCKETS_BYTES = Array.from({ length: 8 }, (_, power) => 1024 * 4 ** power);

/** One judged request, as it is measured. */
export interface Admission {
  readonly request: AdmissionRequest;
  readonly verdict: Verdict;
  readonly explanation: Explanation;
  readonly seconds: number;
  readonly bytes: number;
}

export interface Metrics {
  readonly registry: Registry;
  readonly requestsInFlight: Level;
  readonly connections: Level;
  readonly certificateNotAfter: Level;
  readonly draining: Level;
  recordAdmission(admission: Admission): void;
  recordAnswer(code: number): void;
  recordReload(result: 'success' | 'failure'): void;
}

/** Creates the metrics in a registry of their own, every series at 0; `statusCodes` are all that the secure port answers with. */
export function createMetrics(policy: Policy, build: BuildInfo, statusCodes: readonly number[]): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string): Level => level({ name: `jobguard_${name}`, help, registers });

  const answered = countedSeries({
    name: 'jobguard_http_requests_total',
    help: 'Requests answered on the secure port, by HTTP status code.',
    labelNames: ['code'],
    registers,
  });
  const answers = new Map(statusCodes.map((code) => [code, answered({ code: String(code) })]));
  const reloaded = countedSeries({
    name: 'jobguard_certificate_reloads_total',
    help: 'New certificates found, by whether they could be used.',
    labelNames: ['result'],
    registers,
  });
  const reloads = { success: reloaded({ result: 'success' }), failure: reloaded({ result: 'failure' }) };
  describeProgram(registers, policy, build);
  describeExpiries(registers, policy);

  return {
    registry,
    requestsInFlight: gauge('http_requests_in_flight', 'Requests on the secure port that are not answered yet.'),
    connections: gauge('http_connections', 'Open connections to the secure port.'),
    certificateNotAfter: gauge('certificate_not_after_timestamp_seconds', 'When the serving certificate expires.'),
    draining: gauge('draining', '1 while the process is shutting down, else 0.'),
    recordAdmission: createAdmissionRecorder(registers, policy),
    recordAnswer: (code) => increment(answers.get(code)),
    recordReload: (result) => increment(reloads[result]),
  };
}

function describeExpiries(registers: Registry[], { exemptions }: Policy): void {
  const expires = new Gauge({
    name: 'jobguard_exemption_expires_timestamp_seconds',
    help: 'When an exemption expires, or expired, by exemption; only for those that do.',
    labelNames: ['exemption'],
    registers,
  });
  for (const { name, expiresMs } of exemptions) {
    if (expiresMs !== undefined) expires.set({ exemption: name }, expiresMs / 1_000);
  }
}

/** Every series that can come to pass exists from the start; there is none for what cannot. */
function increment(series: CountedSeries | undefined, count = 1): void {
  if (series !== undefined) series.count += count;
}

function createAdmissionRecorder(registers: Registry[], policy: Policy): Metrics['recordAdmission'] {
  const sizes = observedSeries({
    name: 'jobguard_admission_request_bytes',
    help: 'Size of the bodies of admission requests.',
    labelNames: [],
    buckets: SIZE_BUCKETS_BYTES,
    registers,
  })({});
  const exempted = countedSeries({
    name: 'jobguard_exempted_requests_total',
    help: 'Admission requests that an exemption let through, by exemption.',
    labelNames: ['exemption'],
    registers,
  });
  const exemptions = new Map(policy.exemptions.map(({ name }) => [name, exempted({ exemption: name })]));
  const resources = createResourceSeries(registers, policy);

  return ({ request, verdict, explanation, seconds, bytes }) => {
    const { decision, mode, resource } = verdict;
    const series = resources(resource);
    increment(series.requests.get(decision.outcome)?.get(mode)?.get(request.dryRun));
    series.duration.observe(seconds);
    sizes.observe(bytes);
    if (!isAllowed(verdict)) increment(series.deniedRequests.get(writerClass(policy, request.user.username)));
    for (const [field, count] of explanation.deniedFields) increment(series.deniedChanges.get(field), count);
    if (decision.outcome === 'exempt') for (const name of decision.exemptions) increment(exemptions.get(name));
  };
}

/** What is counted of one resource. */
interface ResourceSeries {
  /** By decision, mode, and whether it was a dry run. */
  readonly requests: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<boolean, CountedSeries>>>;
  readonly duration: ObservedSeries;
  readonly deniedChanges: ReadonlyMap<string, CountedSeries>;
  readonly deniedRequests: ReadonlyMap<WriterClass, CountedSeries>;
}

/** Returns a way to find the series of a resource; undefined stands for all that the policy does not guard. */
function createResourceSeries(
  registers: Registry[],
  policy: Policy,
): (guarded: GuardedResource | undefined) => ResourceSeries {
  const { requests, durations, deniedChanges, deniedRequests } = registerResourceMetrics(registers);
  const create = (
    resource: string,
    outcomes: readonly string[],
    fields: readonly string[],
    writers: readonly WriterClass[],
  ): ResourceSeries => {
    const dryRuns = (decision: string, mode: string): Map<boolean, CountedSeries> =>
      new Map([false, true].map((dryRun) => [dryRun, requests({ resource, decision, mode, dry_run: String(dryRun) })]));
    return {
      requests: new Map(
        outcomes.map((outcome) => [outcome, new Map(policy.modes.map((mode) => [mode, dryRuns(outcome, mode)]))]),
      ),
      duration: durations({ resource }),
      deniedChanges: new Map(fields.map((field) => [field, deniedChanges({ resource, field })])),
      deniedRequests: new Map(writers.map((writer) => [writer, deniedRequests({ resource, writer })])),
    };
  };

  // Resources of one name in two groups share their series: there is no label for the group.
  const guarded = [...policy.resources.values()];
  const writers = writerClasses(policy);
  const names = new Set(guarded.map(({ resource }) => resource));
  const byName = new Map([...names].map((name) => [name, create(name, OUTCOMES, FIELD_CLASSES, writers)]));
  // Of what is not guarded nothing is judged.
  const other = create(OTHER_RESOURCE, ['out_of_scope'], [], []);
  return (resource) => byName.get(resource?.resource ?? '') ?? other;
}

/** The metrics that have a label for the resource. */
function registerResourceMetrics(registers: Registry[]) {
  const requests = countedSeries({
    name: 'jobguard_admission_requests_total',
    help: 'Admission requests judged. The decision is the verdict, whatever the mode made of it.',
    labelNames: ['resource', 'decision', 'mode', 'dry_run'],
    registers,
  });
  const durations = observedSeries({
    name: 'jobguard_admission_duration_seconds',
    help: 'Time from the headers of an admission request to its answer.',
    labelNames: ['resource'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const deniedChanges = countedSeries({
    name: 'jobguard_denied_changes_total',
    help: 'Changes that were not permitted, by class of field.',
    labelNames: ['resource', 'field'],
    registers,
  });
  const deniedRequests = countedSeries({
    name: 'jobguard_denied_requests_total',
    help: 'Requests answered with a denial, dry runs included, by kind of writer.',
    labelNames: ['resource', 'writer'],
    registers,
  });
  return { requests, durations, deniedChanges, deniedRequests };
}

function describeProgram(registers: Registry[], policy: Policy, build: BuildInfo): void {
  new Gauge({
    name: 'jobguard_policy_info',
    help: 'Always 1; names the policy in force by its hash.',
    labelNames: ['hash'],
    registers,
  }).set({ hash: policy.hash }, 1);
  new Gauge({
    name: 'jobguard_build_info',
    help: 'Always 1; names the program and its Node version.',
    labelNames: ['version', 'revision', 'node_version'],
    registers,
  }).set({ version: build.version, revision: build.revision, node_version: build.nodeVersion }, 1);
}

/**
 * Adds prom-client's metrics of the process. They watch the event loop and the garbage collector for as long as the
 * process lives, which is why a server alone does not bring them.
 */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  // Gauges by a counter's name: promtool refuses them.
  for (const kind of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${kind}_total`);
}

/**
 * Turns Prometheus' text format into OpenMetrics: there a counter's family is named without `_total`.
 * prom-client's own OpenMetrics registries rename their counters for good, so that one cannot serve both formats.
 */
export function toOpenMetrics(text: string): string {
  return `${text.replaceAll(/^# (HELP|TYPE) (\S+)_total /gm, '# $1 $2 ').replaceAll(/\n+/g, '\n')}# EOF\n`;
}
