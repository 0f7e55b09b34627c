import type { User } from '../../core/admission.ts';
import { isMap, ownValue, parseJson, type JsonMap, type JsonValue } from '../../core/json.ts';
import type { JudgedUpdate, Outcome } from './outcome.ts';

/** A finished request, as kube-apiserver's audit log has it. */
export interface AuditEvent {
  readonly auditID: string;
  /** When it was answered. */
  readonly time: Date;
  readonly verb: string;
  readonly user: User;
  /** As the API server would have it where the request names none: what its User-Agent begins with. */
  readonly fieldManager: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** '' where none. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the answer, as in HTTP. */
  readonly code: number;
  readonly isDryRun: boolean;
  /** What was answered; undefined where the log does not say. */
  readonly response: JsonMap | undefined;
}

/** What a line of a log is about; jobguard's own log has the decision with it. */
export type Recorded = { readonly time: Date; readonly namespace: string } & (
  | { readonly kind: 'request'; readonly event: AuditEvent }
  | { readonly kind: 'decision'; readonly update: JudgedUpdate | 'skipped' }
);

/**
 * Reads a line of an audit log or of jobguard's decision log; undefined where it is of neither, or of a request that is not
 * finished.
 * Source: k8s.io/apiserver pkg/apis/audit/v1/types.go; docs/monitoring.md for the decision log.
 *
 * @throws SyntaxError where the line is not JSON
 */
export function readRecorded(text: string): Recorded | undefined {
  const line = parseJson(text);
  if (!isMap(line)) return undefined;
  return ownValue(line, 'kind') === 'Event' ? readRequest(line) : readDecision(line);
}

function readRequest(line: JsonMap): Recorded | undefined {
  const time = timeAt(line, 'stageTimestamp');
  if (textAt(line, 'stage') !== 'ResponseComplete' || time === undefined) return undefined;
  const object = mapAt(line, 'objectRef');
  const query = queryOf(textAt(line, 'requestURI'));
  const code = ownValue(mapAt(line, 'responseStatus'), 'code');
  const response = ownValue(line, 'responseObject');
  const event = {
    auditID: textAt(line, 'auditID'),
    time,
    verb: textAt(line, 'verb'),
    user: userOf(line),
    fieldManager: query.get('fieldManager') ?? textAt(line, 'userAgent').replace(/\/.*/s, ''),
    group: textAt(object, 'apiGroup'),
    version: textAt(object, 'apiVersion'),
    resource: textAt(object, 'resource'),
    subresource: textAt(object, 'subresource'),
    namespace: textAt(object, 'namespace'),
    name: textAt(object, 'name'),
    code: typeof code === 'number' ? code : 0,
    isDryRun: query.has('dryRun'),
    response: isMap(response) ? response : undefined,
  };
  return { kind: 'request', time, namespace: event.namespace, event };
}

/** Whoever impersonates somebody is judged as that one. */
function userOf(line: JsonMap): User {
  const impersonated = ownValue(line, 'impersonatedUser');
  const user = isMap(impersonated) ? impersonated : mapAt(line, 'user');
  const groups = ownValue(user, 'groups');
  return { username: textAt(user, 'username'), groups: Array.isArray(groups) ? groups.map(String) : [] };
}

function queryOf(uri: string): URLSearchParams {
  const start = uri.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : uri.slice(start));
}

const OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ['allow', 'allowed'],
  ['exempt', 'exempt'],
  ['deny', 'denied'],
  ['unjudgeable', 'denied'],
]);

function readDecision(line: JsonMap): Recorded | undefined {
  const time = timeAt(line, 'time');
  const outcome = OUTCOMES.get(textAt(line, 'decision'));
  if (outcome === undefined || time === undefined) return undefined;
  const namespace = textAt(line, 'namespace');
  if (ownValue(line, 'dryRun') === true) return { kind: 'decision', time, namespace, update: 'skipped' };
  const paths = ownValue(line, 'paths');
  const update = {
    time,
    user: { username: textAt(line, 'user'), groups: [] },
    fieldManager: '',
    resource: textAt(line, 'resource'),
    namespace,
    name: textAt(line, 'name'),
    auditID: textAt(line, 'uid'),
    outcome,
    paths: Array.isArray(paths) ? paths.map(String) : [],
  };
  return { kind: 'decision', time, namespace, update };
}

function mapAt(map: JsonMap, key: string): JsonMap {
  const value: JsonValue | undefined = ownValue(map, key);
  return isMap(value) ? value : {};
}

function textAt(map: JsonMap, key: string): string {
  const value = ownValue(map, key);
  return typeof value === 'string' ? value : '';
}

function timeAt(map: JsonMap, key: string): Date | undefined {
  const time = new Date(textAt(map, key));
  return Number.isNaN(time.getTime()) ? undefined : time;
}
