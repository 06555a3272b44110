import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { eventHeaders } from '../../src/cli/webhook-event.ts';
import type { Delivery } from '../../src/inlet/webhooks/delivery.ts';
import type { Provider } from '../../src/inlet/webhooks/provider.ts';
import type { SignatureScheme } from '../../src/inlet/webhooks/signature.ts';
import { compileWebhook, PROVIDERS } from '../../src/inlet/webhooks/webhook.ts';
import { delivery, githubExamples, githubPayload, payloads, SECRET } from '../support/webhooks.ts';
import { type Place, place, serve, start, tasktrail } from './cli.ts';

const ALARMS = {
  webhook_id: 'alarms',
  name: 'Alarms',
  provider: 'pager',
  origin: 'api',
  enabled: true,
  configured: true,
  secret_set: true,
  url: '/webhooks/pager/alarms',
  commands: [{ name: 'look', prompt: 'look' }],
  last_delivery: {
    n: 2,
    received_at: '2026-01-24T10:00:00.000Z',
    outcome: 'ignored',
    reason: 'no_command',
    task_id: null,
  },
};
const SCHEME: SignatureScheme = { type: 'hmac-sha256', header: 'X-Pager-Sign', prefix: 'v1,', encoding: 'base64' };
const FOUND = {
  n: 2,
  webhook_id: 'alarms',
  received_at: '2026-01-24T10:00:00.000Z',
  event_type: 'alarm',
  sender: 'evil\u001b[2Jname',
  outcome: 'ignored',
  reason: 'no_command',
  detail: 'nothing in it says /agent',
  task_id: null,
};

/** A receiver that holds deliveries against what the providers' own code takes, and answers as the server does. */
async function receiver(t: TestContext, answers: { scheme?: SignatureScheme; received?: object } = {}) {
  const { scheme = SCHEME, received = { task_id: 'task-7' } } = answers;
  const pager = compileWebhook({
    name: 'Alarms',
    provider: 'pager',
    signature: scheme,
    commands: [{ name: 'a', prompt: 'a' }],
  });
  const got: { provider: Provider; delivery: Delivery; path: string }[] = [];
  const asked: string[] = [];
  async function answer(request: IncomingMessage): Promise<[number, object]> {
    const path = request.url ?? '';
    const body = await buffer(request);
    if (path === '/health') return [200, { service: 'tasktrail' }];
    if (path.startsWith('/api/')) asked.push(`${request.method} ${path} ${request.headers.authorization ?? ''}`.trim());
    if (path.startsWith('/api/webhooks/alarms/deliveries/2/replay')) return [202, { task_id: 'task-9' }];
    if (path.startsWith('/api/webhooks/alarms/deliveries')) return [200, { deliveries: [FOUND], next_before: 2 }];
    if (path === '/api/webhooks/alarms') return [200, { ...ALARMS, signature: scheme }];
    if (path === '/api/webhooks') return [200, { webhooks: [{ ...ALARMS, signature: scheme }] }];
    if (path.startsWith('/api/')) return [404, { code: 'webhook_not_found', detail: 'there is no webhook of this id' }];
    const provider = PROVIDERS.get(path.split('/')[2] ?? '') ?? pager.provider;
    const delivery = { headers: request.headers, body, nowMs: Date.now() };
    const verdict = await provider.verify(delivery, SECRET);
    if (!verdict.ok) return [401, { code: 'invalid_signature', detail: verdict.reason }];
    got.push({ provider, delivery, path });
    return [202, received];
  }
  const server = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, got, asked };
}

async function at(t: TestContext, url: string, env: Record<string, string> = {}): Promise<Place> {
  return place(t, { TASKTRAIL_URL: url, TASKTRAIL_TOKEN: 'our-own-token', ...env });
}

async function file(where: Place, name: string, content: unknown): Promise<string> {
  const path = join(where.cwd, name);
  await writeFile(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
}

const CASES = [
  ['github', 'GITHUB_WEBHOOK_SECRET', 'a.json', githubPayload('issue_comment'), 'issue_comment.created'],
  ['jira', 'JIRA_WEBHOOK_SECRET', 'a.json', payloads('jira')('comment_created'), 'comment_created'],
  ['slack', 'SLACK_SIGNING_SECRET', 'a.json', payloads('slack')('app_mention'), 'app_mention'],
  ['slack', 'SLACK_SIGNING_SECRET', 'a.form', 'command=%2Fagent&text=fix+it&user_id=U1', 'slash_command'],
  ['sentry', 'SENTRY_CLIENT_SECRET', 'a.json', payloads('sentry')('event_alert'), 'event_alert'],
] as const;

for (const [provider, setting, name, payload, eventType] of CASES) {
  test(`what is sent as ${provider} from ${name} is taken by the provider's own check, as ${eventType}`, async (t) => {
    const { url, got } = await receiver(t);
    const here = await at(t, url, { [setting]: SECRET });
    const sent = await tasktrail(t, here, 'webhook', 'send', await file(here, name, payload), '--provider', provider);
    assert.deepEqual([sent.stdout, sent.stderr, sent.code], [`started task-7  ${url}/t/task-7\n`, '', 0]);
    assert.equal(got.length, 1);
    assert.equal(got[0]?.path, `/webhooks/${provider}`);
    assert.equal(got[0]?.delivery.headers.authorization, undefined);
    assert.equal(got[0]?.provider.read(got[0].delivery).eventType, eventType);
  });
}

test('the bytes of a file are signed and sent as they are, from standard input too', async (t) => {
  const { url, got } = await receiver(t);
  const here = await at(t, url, { GITHUB_WEBHOOK_SECRET: SECRET });
  const body = '{ "zen" : "Ünïcode \\u0041", "b":1.0 }\r\n\n';
  const piped = await start(t, here, ['webhook', 'send', '-', '--provider', 'github', '--id', 'one'], body).ended;
  assert.equal(piped.code, 0, piped.stderr);
  assert.equal(Buffer.from(got[0]?.delivery.body ?? []).toString(), body);
  assert.equal(got[0]?.delivery.headers['x-github-event'], 'ping');
  assert.equal(got[0]?.delivery.headers['x-github-delivery'], 'one');
});

for (const scheme of [
  SCHEME,
  { type: 'bearer' },
  { type: 'header-token', header: 'X-Gitlab-Token' },
  { type: 'none', allow_unsigned: true },
] as const satisfies readonly SignatureScheme[]) {
  test(`a webhook of one's own that is signed by ${scheme.type} is asked for its scheme`, async (t) => {
    const { url, got, asked } = await receiver(t, { scheme });
    const here = await at(t, url);
    const secret = scheme.type === 'none' ? [] : ['--secret-file', await file(here, 'secret', `${SECRET}\n`)];
    const words = ['webhook', 'send', await file(here, 'a.json', { event: 'alarm' }), '--webhook', 'alarms', ...secret];
    const shown = await tasktrail(t, here, ...words, '--dry-run');
    assert.equal(shown.code, 0, shown.stderr);
    assert.ok(!shown.stdout.includes(SECRET), shown.stdout);
    assert.equal(got.length, 0);
    const sent = await tasktrail(t, here, ...words);
    assert.deepEqual([sent.code, sent.stderr], [0, '']);
    assert.equal(got[0]?.path, '/webhooks/pager/alarms');
    assert.equal(asked[0], 'GET /api/webhooks/alarms Bearer our-own-token');
  });
}

test('a dry run needs no server, prints the headers, and nothing secret', async (t) => {
  const here = await place(t, { SLACK_SIGNING_SECRET: SECRET });
  const payload = await file(here, 'a.json', payloads('slack')('app_mention'));
  const { stdout, code } = await tasktrail(t, here, 'webhook', 'send', payload, '--provider', 'slack', '--dry-run');
  assert.equal(code, 0);
  assert.match(stdout, /^POST \/webhooks\/slack\nContent-Type: application\/json\n/);
  assert.match(
    stdout,
    /X-Slack-Request-Timestamp: \d+\nX-Slack-Signature: v0=[0-9a-f]{64}\n\(\d+ bytes, nothing was sent\)/,
  );
  assert.ok(!stdout.includes(SECRET));
});

test('a refusal says what to check, and exits with 1', async (t) => {
  const { url } = await receiver(t);
  const here = await at(t, url, { GITHUB_WEBHOOK_SECRET: 'another one' });
  const payload = await file(here, 'a.json', githubPayload('issues'));
  const wrong = await tasktrail(t, here, 'webhook', 'send', payload, '--provider', 'github');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /answered 401: invalid_signature, wrong_signature; .+GITHUB_WEBHOOK_SECRET/);
  const unsigned = await tasktrail(
    t,
    here,
    'webhook',
    'send',
    payload,
    '--provider',
    'sentry',
    '--event',
    'issue',
    '--json',
  );
  assert.equal(unsigned.code, 1);
  assert.deepEqual(JSON.parse(unsigned.stdout), { code: 'invalid_signature', detail: 'missing_header' });
  assert.match(unsigned.stderr, /it goes unsigned: SENTRY_CLIENT_SECRET or --secret-file is not given/);
});

test('what is ignored is told with its reason, and is no failure', async (t) => {
  const received = { status: 'ignored', reason: 'no_command', detail: 'nothing in it says /agent' };
  const { url } = await receiver(t, { received });
  const here = await at(t, url, { GITHUB_WEBHOOK_SECRET: SECRET });
  const words = ['webhook', 'send', await file(here, 'a.json', githubPayload('issues')), '--provider', 'github'];
  const told = await tasktrail(t, here, ...words);
  assert.deepEqual([told.code, told.stdout], [0, 'ignored: no_command (nothing in it says /agent)\n']);
  assert.deepEqual(JSON.parse((await tasktrail(t, here, ...words, '--json')).stdout), received);
});

test('bad usage is told before anything is sent, with exit code 2', async (t) => {
  const { url, got } = await receiver(t);
  const here = await at(t, url, { GITHUB_WEBHOOK_SECRET: SECRET });
  const broken = await file(here, 'broken.json', '{"a":');
  const odd = await file(here, 'odd.json', { nothing: 'known' });
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[odd], /--provider/],
    [[broken, '--provider', 'github'], /broken\.json: expected JSON/],
    [[odd, '--provider', 'github'], /--event/],
    [[odd, '--provider', 'jira', '--event', 'x'], /stands in its payload/],
    [[odd, '--provider', 'pager'], /--webhook ID/],
    [[odd, '--provider', 'github', '--event', 'a\nb: c'], /printable ASCII/],
    [[odd, '--provider', 'github', '--webhook', 'alarms'], /is a webhook of pager/],
    [['no-such-file', '--provider', 'github'], /ENOENT/],
    [[odd, '--provider', 'github', '--event', 'x', '--url', 'ftp://x'], /--url: expected http/],
    [[odd, '--provider', 'github', '--secret', 'a', '--secret-file', 'b'], /cannot be used with/],
    [[], /missing required argument/],
  ];
  for (const [words, said] of cases) {
    const { code, stderr } = await tasktrail(t, here, 'webhook', 'send', ...words);
    assert.match(stderr, said);
    assert.equal(code, 2, stderr);
  }
  assert.equal((await tasktrail(t, here, 'webhook', 'nonsense')).code, 2);
  assert.equal(got.length, 0);
});

test('without a server it is said how to get one', async (t) => {
  const here = await place(t, { GITHUB_WEBHOOK_SECRET: SECRET });
  const payload = await file(here, 'a.json', githubPayload('issues'));
  const none = await tasktrail(t, here, 'webhook', 'send', payload, '--provider', 'github');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no server runs on .+tasktrail serve/);
  const away = await tasktrail(
    t,
    here,
    'webhook',
    'send',
    payload,
    '--provider',
    'github',
    '--url',
    'http://127.0.0.1:9',
  );
  assert.equal(away.code, 1);
  assert.match(away.stderr, /does not answer/);
  assert.match((await tasktrail(t, here, 'webhook', 'list')).stderr, /no server runs on/);
});

test('webhooks and their deliveries are listed, and one is replayed', async (t) => {
  const { url, asked } = await receiver(t);
  const here = await at(t, url);
  const list = await tasktrail(t, here, 'webhook', 'list');
  assert.match(list.stdout, /^alarms +pager +on +http:\S+ +2026-01-24T10:00:00Z ignored no_command$/m);
  const lines = (await tasktrail(t, here, 'webhook', 'list', '--json')).stdout.trim().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).webhook_id),
    ['alarms'],
  );
  const log = await tasktrail(t, here, 'webhook', 'deliveries', 'alarms', '--outcome', 'ignored,refused');
  assert.match(
    log.stdout,
    /^2 +2026-01-24T10:00:00Z +alarm +evil.+name +ignored +no_command: nothing in it says \/agent$/m,
  );
  assert.ok(!log.stdout.includes('\u001b'));
  assert.match(log.stderr, /there are older ones/);
  assert.equal(
    asked.at(-1),
    'GET /api/webhooks/alarms/deliveries?limit=50&outcome=ignored%2Crefused Bearer our-own-token',
  );
  const again = await tasktrail(t, here, 'webhook', 'replay', 'alarms', '2');
  assert.equal(again.stdout, `started task-9  ${url}/t/task-9\n`);
  const odd = await tasktrail(t, here, 'webhook', 'deliveries', 'alarms', '--outcome', 'lost');
  assert.deepEqual([odd.code, /accepted, answered/.test(odd.stderr)], [2, true]);
  assert.equal((await tasktrail(t, here, 'webhook', 'replay', 'alarms', 'x')).code, 2);
  const unknown = await tasktrail(t, here, 'webhook', 'deliveries', 'nobody');
  assert.deepEqual([unknown.code, /there is no webhook/.test(unknown.stderr)], [1, true]);
});

test('a real server takes what is sent, keeps it, and takes it once more', async (t) => {
  const here = await place(t, { GITHUB_WEBHOOK_SECRET: SECRET });
  const { url } = await serve(t, here);
  const quiet = { name: 'quiet', trigger: '/never', prompt: 'x' };
  const definition = { webhook_id: 'quiet', name: 'Quiet', provider: 'pager', signature: { type: 'bearer' } };
  const body = JSON.stringify({ ...definition, secret: SECRET, commands: [quiet] });
  const made = await fetch(`${url}/api/webhooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  assert.equal(made.status, 201, await made.text());
  const push = await file(here, 'push.json', githubPayload('push'));
  const sent = await tasktrail(t, here, 'webhook', 'send', push, '--provider', 'github');
  assert.match(sent.stdout, /^ignored: unsupported_event \(.+push\)\n$/, sent.stderr);
  const words = ['webhook', 'send', await file(here, 'a.json', { event: 'alarm' }), '--webhook', 'quiet'];
  const secret = await file(here, 'secret', SECRET);
  assert.match((await tasktrail(t, here, ...words, '--secret-file', secret)).stdout, /^ignored: no_command/);
  const wrong = await tasktrail(t, here, ...words, '--secret', 'another one');
  assert.deepEqual([wrong.code, /answered 401: invalid_signature/.test(wrong.stderr)], [1, true]);
  const list = (await tasktrail(t, here, 'webhook', 'list')).stdout;
  assert.match(list, new RegExp(`^quiet +pager +on +${url}/webhooks/pager/quiet +\\S+ refused wrong_signature$`, 'm'));
  const kept = await tasktrail(t, here, 'webhook', 'deliveries', 'quiet', '--json');
  const [refused, ignored] = kept.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([refused.outcome, refused.reason], ['refused', 'wrong_signature']);
  assert.deepEqual([ignored.outcome, ignored.reason], ['ignored', 'no_command']);
  const again = await tasktrail(t, here, 'webhook', 'replay', 'quiet', String(ignored.n));
  assert.deepEqual([again.code, /^ignored: no_command/.test(again.stdout)], [0, true]);
  const both = await tasktrail(t, here, 'webhook', 'deliveries', 'quiet', '--outcome', 'ignored,failed');
  assert.match(both.stdout, /^\d+ .+ ignored .+\n\d+ .+ ignored .+\n$/m);
  const cannot = await tasktrail(t, here, 'webhook', 'replay', 'quiet', String(refused.n));
  assert.deepEqual([cannot.code, /not kept/.test(cannot.stderr)], [1, true]);
});

test('the event of each payload of GitHub is guessed from its fields', () => {
  for (const { name, examples } of githubExamples()) {
    for (const payload of examples) {
      const headers = eventHeaders(delivery(payload), { provider: 'github', event: undefined, id: 'a' });
      assert.equal(headers['X-GitHub-Event'], name);
    }
  }
});

test('each command shows how it is used', async (t) => {
  const here = await place(t);
  for (const command of ['send', 'list', 'deliveries', 'replay']) {
    assert.match((await tasktrail(t, here, 'webhook', command, '--help')).stdout, /Examples:/);
  }
  assert.match((await tasktrail(t, here, 'webhook', '--help')).stdout, /replay/);
});
