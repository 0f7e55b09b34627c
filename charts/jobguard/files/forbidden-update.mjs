// Run by `helm test` in a pod: creates a suspended job, asks the API server in a dry run to change what nobody may change,
// and ends well if jobguard's denial comes back, or its warnings where the mode refuses nothing. The job is deleted whatever happens.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const { jobs, job, forbiddenPatch, webhook, policy, patienceSeconds } = JSON.parse(
  await readFile(new URL('test.json', import.meta.url), 'utf8'),
);
const { SERVICE_ACCOUNT, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
const token = await readFile(`${SERVICE_ACCOUNT}/token`, 'utf8');

async function request(method, path, body, contentType = 'application/json') {
  const answer = await fetch(server + path, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': contentType },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // Where a resource is unknown the answer is no JSON.
  const object = answer.headers.get('content-type').includes('json') ? await answer.json() : {};
  return { status: answer.status, warnings: answer.headers.get('warning') ?? '', object };
}

// Only one of the two places of cleanPodPolicy exists in a generation of the API; the warning about the other says nothing.
const dryRunPatch = (path, patch) =>
  request('PATCH', `${path}?dryRun=All&fieldValidation=Ignore`, patch, 'application/merge-patch+json');

function modeIn(namespace) {
  const pattern = (glob) => new RegExp(`^${glob.split('*').map(RegExp.escape).join('.*')}$`);
  const first = policy.namespaceModes.find(({ namespaces }) =>
    namespaces.some((glob) => pattern(glob).test(namespace)),
  );
  return first?.mode ?? policy.mode;
}

/** What comes back for a forbidden update where the webhook is in force. */
const IS_GUARDED = {
  enforce: ({ status, object }) => status === 403 && object.message.includes(`admission webhook "${webhook}" denied`),
  warn: ({ status, warnings }) => status === 200 && warnings.includes('jobguard would deny this update'),
  audit: ({ status, warnings }) => status === 200 && warnings.includes('cleanPodPolicy is not None, Running or All'),
};

/** Has patience: where the test follows the installation closely, the pods have to become ready first. */
async function answerOnceGuarded(path, isGuarded) {
  const deadline = Date.now() + patienceSeconds * 1000;
  for (;;) {
    const answer = await dryRunPatch(path, forbiddenPatch);
    if (isGuarded(answer) || Date.now() > deadline) return answer;
    await delay(500);
  }
}

const say = ({ status, warnings, object }) => `${status} ${object.message ?? warnings}`;

async function test(path, mode) {
  const forbidden = await answerOnceGuarded(path, IS_GUARDED[mode]);
  console.log(`forbidden update, mode ${mode}: ${say(forbidden)}`);
  const label = await dryRunPatch(path, { metadata: { labels: { 'jobguard.dev/helm-test': 'true' } } });
  console.log(`update of a label: ${say(label)}`);
  return IS_GUARDED[mode](forbidden) && label.status === 200;
}

const created = await request('POST', jobs, job);
if (created.status === 404) throw new Error(`there is no ${jobs} in this cluster: install the training operator first`);
if (created.status !== 201) throw new Error(`the job could not be created: ${say(created)}`);
const path = `${jobs}/${created.object.metadata.name}`;
const mode = modeIn(job.metadata.namespace);
try {
  process.exitCode = (await test(path, mode)) ? 0 : 1;
} finally {
  await request('DELETE', path);
}
const SUCCESS = {
  enforce: 'jobguard guards this cluster',
  warn: 'jobguard watches this cluster: it warns of what it would refuse',
  audit: 'jobguard watches this cluster: it records what it would refuse',
};
console.log(process.exitCode === 0 ? SUCCESS[mode] : 'jobguard does NOT guard this cluster');
