import { Ajv } from 'ajv';

import { ApiError, type ApiClient } from './api-client.ts';
import type { SecretData } from './state.ts';

/** The Secret as it was read: what has to be sent back when it is written, and its data decoded. */
export interface StoredSecret {
  readonly object: SecretObject;
  readonly data: SecretData;
}

/** The one Secret that replicas share their state in. */
export interface SecretStore {
  /** Returns undefined where there is no such Secret. */
  read(): Promise<StoredSecret | undefined>;
  /** Makes the Secret, empty, unless it is there. */
  create(): Promise<void>;
  /** Replaces the data. Returns false where another replica was faster: nothing was written. */
  write(stored: StoredSecret, data: SecretData): Promise<boolean>;
}

interface SecretObject {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>> | null;
}

/** Source: k8s.io/api core/v1/types.go. */
const isSecret = new Ajv().compile<SecretObject>({
  type: 'object',
  required: ['metadata'],
  properties: {
    metadata: { type: 'object', required: ['resourceVersion'], properties: { resourceVersion: { type: 'string' } } },
    data: { type: 'object', nullable: true, additionalProperties: { type: 'string' } },
  },
});

export function createSecretStore(client: ApiClient, namespace: string, name: string): SecretStore {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  return {
    read: async () => {
      const { status, body } = await client({ method: 'GET', path });
      if (status === 404) return undefined;
      if (!isSecret(body)) throw new ApiError(`the response to GET ${path} is not a Secret`);
      const data = Object.entries(body.data ?? {}).map(([key, value]) => [key, decode(value)]);
      return { object: body, data: Object.fromEntries(data) as SecretData };
    },
    // By server-side apply: unlike a POST it names the object, so that the right to create can be bound to that name.
    create: async () => {
      const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque' };
      await client({ method: 'PATCH', path: `${path}?fieldManager=jobguard`, body: object });
    },
    write: async ({ object }, data) => {
      const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)]));
      const body = { ...object, data: encoded };
      const { status } = await client({ method: 'PUT', path: `${path}?fieldManager=jobguard`, body });
      return status < 300;
    },
  };
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
