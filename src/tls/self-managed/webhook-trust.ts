import { Ajv } from 'ajv';

import { ApiError, type ApiClient } from './api-client.ts';
import { certificatesOf } from '../pem.ts';

/** What the API server trusts of our webhooks, as it was read. */
export interface Trust {
  readonly resourceVersion: string;
  /** The names of the webhooks that call our Service. */
  readonly webhooks: readonly string[];
  /** The certificates that stand in the caBundle of every one of them, canonical. */
  readonly certs: readonly string[];
  /** Why the caBundle is not ours to write; undefined where it is. */
  readonly objection: string | undefined;
}

/** The caBundle of the webhooks of one ValidatingWebhookConfiguration that call one Service. */
export interface WebhookTrust {
  /** Throws an ApiError where the configuration is not there or calls another Service only. */
  read(): Promise<Trust>;
  /** Returns false where the configuration has changed since it was read: nothing was written. */
  publish(trust: Trust, certs: readonly string[]): Promise<boolean>;
}

export interface WebhookTrustOptions {
  readonly client: ApiClient;
  readonly webhookConfiguration: string;
  readonly service: string;
  readonly namespace: string;
}

interface Configuration {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>> | null;
  };
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig: {
      readonly caBundle?: string | null;
      readonly service?: { readonly name: string; readonly namespace: string } | null;
    };
  }[];
}

const STRING = { type: 'string' } as const;

/** Source: k8s.io/api admissionregistration/v1/types.go. */
const isConfiguration = new Ajv().compile<Configuration>({
  type: 'object',
  required: ['metadata'],
  properties: {
    metadata: {
      type: 'object',
      required: ['resourceVersion'],
      properties: {
        resourceVersion: STRING,
        annotations: { type: 'object', nullable: true, additionalProperties: STRING },
      },
    },
    webhooks: {
      type: 'array',
      nullable: true,
      items: {
        type: 'object',
        required: ['name', 'clientConfig'],
        properties: {
          name: STRING,
          clientConfig: {
            type: 'object',
            properties: {
              caBundle: { type: 'string', nullable: true },
              service: {
                type: 'object',
                nullable: true,
                required: ['name', 'namespace'],
                properties: { name: STRING, namespace: STRING },
              },
            },
          },
        },
      },
    },
  },
});

/** Owns the caBundle and nothing else, so that Helm and Argo CD, which do not render it, have nothing to differ about. */
const FIELD_MANAGER = 'jobguard-certificates';

/**
 * By this whoever registers the webhooks says who writes their caBundle. When a release changes to another mode, replicas of
 * the last one still run for a while: what they wrote then would stay, and nobody would be left who puts it right.
 */
const MODE_ANNOTATION = 'jobguard.dev/tls-mode';
const OUR_MODE = 'selfManaged';

export function createWebhookTrust({
  client,
  webhookConfiguration: name,
  service,
  namespace,
}: WebhookTrustOptions): WebhookTrust {
  const kind = 'ValidatingWebhookConfiguration';
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const path = `/apis/${apiVersion}/validatingwebhookconfigurations/${encodeURIComponent(name)}`;
  return {
    read: async () => {
      const { status, body } = await client({ method: 'GET', path });
      if (status === 404) throw new ApiError(`${kind} ${name} not found`);
      if (!isConfiguration(body)) throw new ApiError(`the response to GET ${path} is not a ${kind}`);
      const ours = (body.webhooks ?? []).filter(
        ({ clientConfig: { service: called } }) => called?.name === service && called.namespace === namespace,
      );
      if (ours.length === 0)
        throw new ApiError(`no webhook of ${kind} ${name} calls the Service ${namespace}/${service}`);
      const bundles = ours.map(({ clientConfig }) => certificatesOf(decode(clientConfig.caBundle ?? '')));
      return {
        resourceVersion: body.metadata.resourceVersion,
        webhooks: ours.map((webhook) => webhook.name),
        certs: bundles.reduce((common, bundle) => common.filter((cert) => bundle.includes(cert))),
        objection:
          body.metadata.annotations?.[MODE_ANNOTATION] === OUR_MODE
            ? undefined
            : `not writing the caBundle: ${kind} ${name} lacks the annotation ${MODE_ANNOTATION}: ${OUR_MODE}`,
      };
    },
    publish: async ({ resourceVersion, webhooks }, certs) => {
      const caBundle = Buffer.from(certs.join('')).toString('base64');
      const body = {
        apiVersion,
        kind,
        metadata: { name, resourceVersion },
        webhooks: webhooks.map((webhook) => ({ name: webhook, clientConfig: { caBundle } })),
      };
      const query = `fieldManager=${FIELD_MANAGER}&force=true`;
      return (await client({ method: 'PATCH', path: `${path}?${query}`, body })).status < 300;
    },
  };
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
