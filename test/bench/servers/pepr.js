/**
 * The five-field rule as a Pepr module, run as Pepr's controller runs one. `PEPR` is the folder that pepr is installed in.
 * `node pepr.js PORT`
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const fromPepr = createRequire(join(process.env.PEPR, 'node_modules/pepr/package.json'));
const { Capability, PeprModule, RegisterKind, a } = fromPepr('pepr');
const { compare } = fromPepr('fast-json-patch');

class TFJob extends a.GenericKind {}
RegisterKind(TFJob, { group: 'kubeflow.org', version: 'v1', kind: 'TFJob' });

const FREE = [
  /^\/metadata\/(labels|annotations|managedFields|generation|resourceVersion)(\/|$)/,
  /^\/spec\/(runPolicy\/)?(activeDeadlineSeconds|ttlSecondsAfterFinished|cleanPodPolicy)$/,
];

const jobs = new Capability({ name: 'jobs', description: 'keeps jobs as they were created', namespaces: [] });
jobs
  .When(TFJob)
  .IsUpdated()
  .Validate((request) => {
    const changed = compare(request.OldResource, request.Raw).map(({ path }) => path);
    const refused = changed.filter((path) => !FREE.some((free) => free.test(path)));
    return refused.length === 0 ? request.Approve() : request.Deny(`only five fields may change, not ${refused}`, 403);
  });

const description = 'the five-field rule';
const pepr = { uuid: 'bench', onError: 'reject', alwaysIgnore: { namespaces: [] }, webhookTimeout: 10, env: {} };
new PeprModule({ description, pepr }, [jobs], { deferStart: true }).start(Number(process.argv[2]));
