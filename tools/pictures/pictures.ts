import { join } from 'node:path';
import { sequenceSvg, type Sequence } from './sequence.ts';

const IMAGES = join(import.meta.dirname, '../../docs/images');

const [WRITER, API_SERVER, JOBGUARD] = [0, 1, 2];

const UPDATE: Sequence = {
  title: 'The flow of one update',
  description:
    'A writer, such as a person or Kueue, sends an update to the API server, which checks it and evaluates the match condition. An update that cannot be refused is stored without a call to jobguard. Of any other the API server sends the old and the new object to jobguard, which compares them, looks up the policy and the writer’s exemptions, and allows or denies.',
  participants: ['Writer', 'API server', 'jobguard'],
  steps: [
    { kind: 'arrow', from: WRITER, to: API_SERVER, text: 'update of a guarded job' },
    {
      kind: 'note',
      at: API_SERVER,
      lines: ['authentication, RBAC, schema,', 'then the match condition:', 'may this update be refused?'],
    },
    { kind: 'heading', text: 'no: labels, annotations, the three fields; finalizers of a job that is being deleted' },
    { kind: 'arrow', from: API_SERVER, to: WRITER, text: '200, stored; jobguard is not asked' },
    { kind: 'heading', text: 'yes: everything else' },
    { kind: 'arrow', from: API_SERVER, to: JOBGUARD, text: 'AdmissionReview: old, new, writer' },
    {
      kind: 'note',
      at: JOBGUARD,
      lines: ['which fields differ?', 'does the policy permit each,', 'or an exemption of this writer?'],
    },
    { kind: 'arrow', from: JOBGUARD, to: API_SERVER, text: 'allowed, or 403 with each field' },
    { kind: 'arrow', from: API_SERVER, to: WRITER, text: '200, stored, or 403' },
    { kind: 'heading', text: 'no answer: failurePolicy decides; Fail, the default, refuses' },
  ],
};

const [POD, SECRET, CONFIGURATION] = [0, 1, 2];

const CERTIFICATE: Sequence = {
  title: 'The life of a self-managed certificate',
  description:
    'At the first start a pod writes an authority, valid for ten years, and a certificate, valid for 90 days, into the Secret, and the authority into the caBundle. It serves once every API server trusts it. After 60 days it issues the next certificate. After two thirds of ten years it adds the next authority to the caBundle, waits an hour, and issues from it. The previous authority leaves the caBundle when no certificate of it is valid any more.',
  participants: ['jobguard, any replica', 'Secret jobguard-certificates', 'caBundle of the webhook'],
  steps: [
    { kind: 'heading', text: 'first start' },
    { kind: 'arrow', from: POD, to: SECRET, text: 'authority: ten years' },
    { kind: 'arrow', from: POD, to: SECRET, text: 'certificate: 90 days' },
    { kind: 'arrow', from: POD, to: CONFIGURATION, text: 'adds the authority' },
    { kind: 'note', at: POD, lines: ['waits until each API server', 'trusts the authority,', 'then is ready'] },
    { kind: 'heading', text: 'every 60 days' },
    { kind: 'arrow', from: POD, to: SECRET, text: 'next certificate, same authority' },
    { kind: 'note', at: POD, lines: ['every replica loads it', 'without a restart'] },
    { kind: 'heading', text: 'after two thirds of ten years' },
    { kind: 'arrow', from: POD, to: SECRET, text: 'next authority' },
    { kind: 'arrow', from: POD, to: CONFIGURATION, text: 'adds it beside the previous one' },
    { kind: 'note', at: POD, lines: ['waits for an hour'] },
    { kind: 'arrow', from: POD, to: SECRET, text: 'next certificate, next authority' },
    { kind: 'arrow', from: POD, to: CONFIGURATION, text: 'drops the previous one, 90 days later' },
  ],
};

/** Returns the content that the pictures should have, by path. */
export function pictures(): Map<string, string> {
  return new Map([
    [join(IMAGES, 'update.svg'), sequenceSvg(UPDATE)],
    [join(IMAGES, 'certificate.svg'), sequenceSvg(CERTIFICATE)],
  ]);
}
