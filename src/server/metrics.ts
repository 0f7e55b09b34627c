import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { BuildInfo } from '../build-info.ts';
import type { AdmissionRequest } from '../core/admission.ts';
import type { Decision, Verdict } from '../core/decide.ts';
import { guardedResource, type Mode, type Policy } from '../core/policy.ts';
import { FIELD_CLASSES, fieldClass } from './field-class.ts';
import { STATUS_CODES } from './http.ts';
import { createTally } from './tally.ts';

const OUTCOMES: readonly Decision['outcome'][] = ['allow', 'deny', 'exempt', 'out_of_scope', 'unjudgeable'];
const MODES: readonly Mode[] = ['enforce', 'warn', 'audit'];
/** What every resource that the policy does not guard is counted as, so that labels stay bounded. */
const OTHER_RESOURCE = 'other';

/** From a label patch on a small job to the timeout that the API server sets by default. */
const DURATION_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** 1 KiB to 16 MiB, the default limit, by fours. */
const SIZE_BUCKETS_BYTES = Array.from({ length: 8 }, (_, power) => 1024 * 4 ** power);

/** One judged request, as it is measured. */
export interface Admission {
  readonly request: AdmissionRequest;
  readonly verdict: Verdict;
  readonly seconds: number;
  readonly bytes: number;
}

export interface Metrics {
  readonly registry: Registry;
  readonly requestsInFlight: Gauge;
  readonly connections: Gauge;
  readonly certificateNotAfter: Gauge;
  readonly draining: Gauge;
  recordAdmission(admission: Admission): void;
  recordStart(): void;
  recordEnd(): void;
  recordAnswer(code: number): void;
  recordReload(result: 'success' | 'failure'): void;
}

/** Creates the metrics in a registry of their own, every series at 0. */
export function createMetrics(policy: Policy, build: BuildInfo): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `jobguard_${name}`, help, registers });

  let inFlight = 0;
  const requestsInFlight = new Gauge({
    name: 'jobguard_http_requests_in_flight',
    help: 'Requests on the secure port that are not answered yet.',
    registers,
    collect() {
      this.set(inFlight);
    },
  });
  const countAnswer = createTally({
    name: 'jobguard_http_requests_total',
    help: 'Requests answered on the secure port, by HTTP status code.',
    labelNames: ['code'],
    registers,
  });
  const reloads = new Counter({
    name: 'jobguard_certificate_reloads_total',
    help: 'New certificates found, by whether they could be used.',
    labelNames: ['result'],
    registers,
  });
  for (const code of STATUS_CODES) countAnswer(String(code), () => ({ code }), 0);
  for (const result of ['success', 'failure']) reloads.inc({ result }, 0);
  describeProgram(registers, policy, build);

  return {
    registry,
    requestsInFlight,
    connections: gauge('http_connections', 'Open connections to the secure port.'),
    certificateNotAfter: gauge('certificate_not_after_timestamp_seconds', 'When the serving certificate expires.'),
    draining: gauge('draining', '1 once the process was told to end, else 0.'),
    recordAdmission: createAdmissionRecorder(registers, policy),
    recordStart: () => void (inFlight += 1),
    recordEnd: () => void (inFlight -= 1),
    recordAnswer: (code) => countAnswer(String(code), () => ({ code })),
    recordReload: (result) => reloads.inc({ result }),
  };
}

function createAdmissionRecorder(registers: Registry[], policy: Policy): Metrics['recordAdmission'] {
  const countRequest = createTally({
    name: 'jobguard_admission_requests_total',
    help: 'Admission requests judged. The decision is the verdict, whatever the mode made of it.',
    labelNames: ['resource', 'decision', 'mode', 'dry_run'],
    registers,
  });
  const durations = new Histogram({
    name: 'jobguard_admission_duration_seconds',
    help: 'Time from the headers of an admission request to its answer.',
    labelNames: ['resource'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  const deniedChanges = new Counter({
    name: 'jobguard_denied_changes_total',
    help: 'Changes that were not permitted, by class of field.',
    labelNames: ['resource', 'field'],
    registers,
  });
  const exempted = new Counter({
    name: 'jobguard_exempted_requests_total',
    help: 'Admission requests that an exemption let through, by exemption.',
    labelNames: ['exemption'],
    registers,
  });
  const sizes = new Histogram({
    name: 'jobguard_admission_request_bytes',
    help: 'Size of the bodies of admission requests.',
    buckets: SIZE_BUCKETS_BYTES,
    registers,
  });

  const guarded = [...new Set([...policy.resources.values()].map(({ resource }) => resource))];
  for (const resource of [...guarded, OTHER_RESOURCE]) {
    durations.zero({ resource });
    for (const labels of requestLabels(resource)) countRequest(keyOf(labels), () => labels, 0);
  }
  for (const resource of guarded) for (const field of FIELD_CLASSES) deniedChanges.inc({ resource, field }, 0);
  for (const { name } of policy.exemptions) exempted.inc({ exemption: name }, 0);

  return ({ request, verdict: { decision, mode }, seconds, bytes }) => {
    const { group, resource: asked } = request.resource;
    const resource = guardedResource(policy, group, asked)?.resource ?? OTHER_RESOURCE;
    const labels = { resource, decision: decision.outcome, mode, dry_run: String(request.dryRun) };
    countRequest(keyOf(labels), () => labels);
    durations.observe({ resource }, seconds);
    sizes.observe(bytes);
    if (decision.outcome === 'deny') {
      for (const { path } of decision.denied) deniedChanges.inc({ resource, field: fieldClass(path) });
    }
    if (decision.outcome === 'exempt') for (const exemption of decision.exemptions) exempted.inc({ exemption });
  };
}

type RequestLabels = Record<'resource' | 'decision' | 'mode' | 'dry_run', string>;

function keyOf({ resource, decision, mode, dry_run }: RequestLabels): string {
  return `${resource} ${decision} ${mode} ${dry_run}`;
}

function requestLabels(resource: string): RequestLabels[] {
  return OUTCOMES.flatMap((decision) =>
    MODES.flatMap((mode) => ['false', 'true'].map((dry_run) => ({ resource, decision, mode, dry_run }))),
  );
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
