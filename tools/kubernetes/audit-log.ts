import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { eventually } from '../eventually.ts';
import { at } from '../json-at.ts';

/** What the audit log has about a finished request; each as the log has it. */
export interface AuditedRequest {
  readonly user: unknown;
  readonly verb: unknown;
  readonly code: unknown;
  readonly annotations: unknown;
}

/** The audit log of one API server, with every request to a job in it. */
export interface AuditLog {
  /** One event a line. */
  readonly file: string;
  /** What the API server is to be started with. */
  readonly flags: Readonly<Record<string, string>>;
  /** Waits for the event of a request, by its `Audit-Id`, and returns the annotations. */
  annotations: (auditId: unknown) => Promise<unknown>;
  /** Returns the finished requests to an object, and to its subresources, in their order. */
  trail: (resource: string, name: string) => Promise<AuditedRequest[]>;
}

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', resources: [{ group: 'kubeflow.org' }] }, { level: 'None' }],
};

/** Prepares an audit log in `folder`. */
export async function createAuditLog(folder: string): Promise<AuditLog> {
  const files = { policy: join(folder, 'audit-policy.json'), log: join(folder, 'audit.log') };
  await writeFile(files.policy, JSON.stringify(POLICY));
  await writeFile(files.log, '');
  const events = async (): Promise<unknown[]> => {
    const lines = (await readFile(files.log, 'utf8')).split('\n').slice(0, -1);
    return lines.map((line): unknown => JSON.parse(line));
  };
  return {
    file: files.log,
    flags: { 'audit-policy-file': files.policy, 'audit-log-path': files.log },
    annotations: (auditId) =>
      eventually(`the audit event ${String(auditId)}`, async () => {
        const event = (await events()).find((each) => at(each, 'auditID') === auditId);
        return at(event, 'annotations');
      }),
    trail: async (resource, name) =>
      (await events())
        .filter((event) => at(event, 'objectRef', 'resource') === resource && at(event, 'objectRef', 'name') === name)
        .map((event) => ({
          user: at(event, 'user', 'username'),
          verb: at(event, 'verb'),
          code: at(event, 'responseStatus', 'code'),
          annotations: at(event, 'annotations'),
        })),
  };
}
