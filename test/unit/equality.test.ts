import { describe, expect, test } from '@jest/globals';
import { isAbsent, sameScalar } from '../../src/core/equality.ts';
import { childType, objectType, UNKNOWN, type FieldType } from '../../src/core/field-type.ts';
import { exactNumber, isMap, type JsonScalar, type JsonValue, parseJson } from '../../src/core/json.ts';
import { parsePointer } from '../../src/core/path.ts';

const PYTORCH_JOBS = objectType('kubeflow.org', 'pytorchjobs', []);
const JOB = '/spec/pytorchReplicaSpecs/Worker';
const POD = `${JOB}/template/spec`;
const CONTAINER = `${POD}/containers/0`;

/** Returns the type at a JSON Pointer of a PyTorchJob; the segment `0` is an item of a list. */
function typeAt(pointer: string): FieldType {
  const path = (parsePointer(pointer) ?? []).map((segment) => (segment === '0' ? 0 : segment));
  return path.reduce<FieldType>(childType, PYTORCH_JOBS);
}

describe('what the Go types read as if it were not there', () => {
  test.each<[string, string, JsonValue | undefined]>([
    ['null anywhere', '/spec/unknown', null],
    ['null below what the Go types do not know', '/spec/unknown/below', null],
    ['what is not there', '/spec/unknown', undefined],
    ['what is not there, as the entry of a map', '/metadata/labels/a', undefined],
    ['null at a pointer', `${POD}/securityContext`, null],
    ['an empty list anywhere', '/spec/unknown', []],
    ['an empty list at a field', `${POD}/tolerations`, []],
    ['false at a field', `${CONTAINER}/tty`, false],
    ['false at a field without omitempty', '/status/replicaStatuses', null],
    ['zero at a field', `${CONTAINER}/ports/0/hostPort`, 0],
    ['minus zero at a field', `${CONTAINER}/ports/0/hostPort`, -0],
    ['zero with an exponent', `${CONTAINER}/ports/0/hostPort`, exactNumber('0e1000')],
    ['zero where a number or a name may stand', `${CONTAINER}/livenessProbe/httpGet/port`, 0],
    ['an empty string at a field', `${CONTAINER}/image`, ''],
    ['an empty string at a field without omitempty', `${CONTAINER}/name`, ''],
    ['a quantity of zero', `${CONTAINER}/env/0/valueFrom/resourceFieldRef/divisor`, '0'],
    ['a quantity of zero as a number', `${CONTAINER}/env/0/valueFrom/resourceFieldRef/divisor`, 0],
    ['a quantity of zero with a suffix', `${CONTAINER}/env/0/valueFrom/resourceFieldRef/divisor`, '0Mi'],
    ['an empty struct', `${CONTAINER}/resources`, {}],
    ['a struct with nothing in it that counts', `${CONTAINER}/resources`, { limits: null, claims: [], requests: {} }],
    ['an empty run policy', '/spec/runPolicy', {}],
    ['a run policy that is not suspended', '/spec/runPolicy', { suspend: false }],
    ['an empty status', '/status', {}],
    ['a status of nulls', '/status', { conditions: null, replicaStatuses: null }],
    ['empty metadata of a template', `${JOB}/template/metadata`, { creationTimestamp: null, name: '' }],
    ['a template of empty structs', `${JOB}/template`, { metadata: {}, spec: { containers: null } }],
    ['an empty map with omitempty', `${POD}/nodeSelector`, {}],
    ['suspend as the CRD defaults it', '/spec/runPolicy/suspend', false],
    ['anything that the server owns', '/metadata/generation', 3],
    ['a list that the server owns', '/metadata/managedFields', [{ manager: 'kubectl' }]],
  ])('%s: %s', (_title, pointer, value) => {
    expect(isAbsent(value, typeAt(pointer))).toBe(true);
  });

  test.each<[string, string, JsonValue]>([
    ['false at an unknown field', '/spec/unknown', false],
    ['zero at an unknown field', '/spec/unknown', 0],
    ['an empty string at an unknown field', '/spec/unknown', ''],
    ['an empty map at an unknown field', '/spec/unknown', {}],
    ['false at a pointer', `${CONTAINER}/securityContext/allowPrivilegeEscalation`, false],
    ['zero at a pointer', `${POD}/terminationGracePeriodSeconds`, 0],
    ['no replicas', `${JOB}/replicas`, 0],
    ['an empty string at a pointer', `${POD}/runtimeClassName`, ''],
    ['an empty struct behind a pointer', `${POD}/securityContext`, {}],
    ['an empty volume', `${POD}/volumes/0/emptyDir`, {}],
    ['false in the volume of a driver', `${POD}/volumes/0/csi/readOnly`, false],
    ['a quantity of zero behind a pointer', `${POD}/volumes/0/emptyDir/sizeLimit`, '0'],
    ['an entry of a map that is empty', '/metadata/labels/a', ''],
    ['a limit of zero', `${CONTAINER}/resources/limits/cpu`, 0],
    ['limits with an entry of zero', `${CONTAINER}/resources/limits`, { cpu: 0 }],
    ['labels with an empty entry', '/metadata/labels', { a: '' }],
    ['an empty map without omitempty', '/spec/pytorchReplicaSpecs', {}],
    ['a struct with one thing in it', `${CONTAINER}/resources`, { claims: [{}] }],
    ['a struct with an unknown field', '/spec/runPolicy', { unknown: false }],
    ['an empty list of metrics: it makes an autoscaler', '/spec/elasticPolicy/metrics', []],
    ['an empty list of rendezvous settings: it makes the operator panic', '/spec/elasticPolicy/rdzvConf', []],
    ['null as the entry of a map of strings', `${POD}/nodeSelector/gpu`, null],
    ['null as a limit', `${CONTAINER}/resources/limits/cpu`, null],
    ['null as a replica type', JOB, null],
    ['null as an entry of the map behind a pointer', '/spec/runPolicy/schedulingPolicy/minResources/cpu', null],
    ['a map whose only entry is null', '/metadata/labels', { a: null }],
    ['an empty list as the entry of a map', '/metadata/labels/a', []],
    ['an empty list at a string', `${CONTAINER}/image`, []],
    ['an empty list at a boolean', `${CONTAINER}/tty`, []],
    ['an empty list at a struct', `${CONTAINER}/resources`, []],
    ['an empty list at a map', `${POD}/nodeSelector`, []],
    ['a quantity of zero with a line break', `${CONTAINER}/env/0/valueFrom/resourceFieldRef/divisor`, '0\n'],
    ['an empty list at a pointer', '/spec/runPolicy/suspend', []],
    ['an empty list at a pointer to a struct', `${POD}/securityContext`, []],
    ['a zero of another type', `${CONTAINER}/tty`, 0],
    ['an empty string at a number', `${CONTAINER}/ports/0/hostPort`, ''],
    ['the text "0" where a number or a name may stand', `${CONTAINER}/livenessProbe/httpGet/port`, '0'],
    ['an empty map at a list', `${POD}/tolerations`, {}],
    ['an empty map at a string', `${CONTAINER}/image`, {}],
    ['a quantity that is none', `${CONTAINER}/env/0/valueFrom/resourceFieldRef/divisor`, 'x'],
    ['a time', '/status/startTime', '0001-01-01T00:00:00Z'],
  ])('but not %s: %s', (_title, pointer, value) => {
    expect(isAbsent(value, typeAt(pointer))).toBe(false);
  });
});

describe('scalars that mean the same', () => {
  const quantity = typeAt(`${CONTAINER}/resources/limits/cpu`);

  test.each<[string, FieldType, string, string]>([
    ['one and one', UNKNOWN, '1', '1'],
    ['one and its decimal', UNKNOWN, '1', '1.0'],
    ['one and its exponent', UNKNOWN, '1', '1e0'],
    ['zero and minus zero', UNKNOWN, '0', '-0'],
    ['zero and a long minus zero', UNKNOWN, '0', '-0.00000000000000000000'],
    ['a number past 2^53 and its decimal', UNKNOWN, '9007199254740993', '9007199254740993.0'],
    ['numbers past every double', UNKNOWN, '1e400', '10e399'],
    ['a text and the same text escaped', UNKNOWN, '"a"', '"\\u0061"'],
    ['a thousand millis and one', quantity, '"1000m"', '1'],
    ['1024Mi and 1Gi', quantity, '"1024Mi"', '"1Gi"'],
    ['1e3 and 1k', quantity, '"1e3"', '"1k"'],
    ['a number with an exponent and 1k', quantity, '1e3', '"1k"'],
    ['quantities past every double', quantity, '"1e400"', '1e400'],
    ['the same word where a quantity should be', quantity, '"much"', '"much"'],
  ])('%s', (_title, type, a, b) => {
    expect(sameScalar(scalar(a), scalar(b), type)).toBe(true);
    expect(sameScalar(scalar(b), scalar(a), type)).toBe(true);
  });

  test.each<[string, FieldType, string, string]>([
    ['one and two', UNKNOWN, '1', '2'],
    ['2^53 and its neighbour', UNKNOWN, '9007199254740992', '9007199254740993'],
    ['integers of twenty digits', UNKNOWN, '12345678901234567890', '12345678901234567891'],
    ['a long fraction and a short one', UNKNOWN, '0.1', '0.1000000000000000055511151231257827'],
    ['1e400 and 1e401', UNKNOWN, '1e400', '1e401'],
    ['tiny numbers that a double takes for zero', UNKNOWN, '1e-400', '0'],
    ['a number and its text', UNKNOWN, '1', '"1"'],
    ['a long number and its text', UNKNOWN, '9007199254740993', '"9007199254740993"'],
    ['a port and its text', typeAt(`${CONTAINER}/livenessProbe/httpGet/port`), '80', '"80"'],
    ['quantities outside quantities', typeAt(`${CONTAINER}/env/0/value`), '"1000m"', '"1"'],
    ['quantities in labels', typeAt('/metadata/labels/a'), '"1k"', '"1000"'],
    ['false and zero', UNKNOWN, 'false', '0'],
    ['true and false', UNKNOWN, 'true', 'false'],
    ['null and zero', UNKNOWN, 'null', '0'],
    ['texts that only look the same', UNKNOWN, '"\u00e9"', '"e\u0301"'],
    ['one and one milli', quantity, '"1"', '"1m"'],
    ['1G and 1Gi', quantity, '"1G"', '"1Gi"'],
    ['a quantity and true', quantity, '1', 'true'],
    ['words where a quantity should be', quantity, '"much"', '"more"'],
    ['a quantity and the same with a line break', quantity, '"1"', '"1\\n"'],
    ['a quantity and the same with a byte order mark', quantity, '"1"', '"\\ufeff1"'],
    ['a quantity and the same with a space', quantity, '"1"', '" 1"'],
    ['null and a limit of zero', quantity, 'null', '"0"'],
  ])('but not %s', (_title, type, a, b) => {
    expect(sameScalar(scalar(a), scalar(b), type)).toBe(false);
    expect(sameScalar(scalar(b), scalar(a), type)).toBe(false);
  });
});

function scalar(text: string): JsonScalar {
  const list = parseJson(`[${text}]`);
  const value = Array.isArray(list) ? list[0] : undefined;
  if (value === undefined || Array.isArray(value) || isMap(value)) throw new Error(`${text} is no scalar`);
  return value;
}
