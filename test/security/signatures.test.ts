import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { call } from '../support/api.ts';
import { type Server, startServer } from '../support/server.ts';
import { githubPayload, payloads, SECRET, signed } from '../support/webhooks.ts';

/** Agents do not end, so that what was started is counted and no more. */
const ENV = {
  GITHUB_WEBHOOK_SECRET: SECRET,
  JIRA_WEBHOOK_SECRET: SECRET,
  SLACK_SIGNING_SECRET: SECRET,
  SENTRY_CLIENT_SECRET: SECRET,
  TASKTRAIL_AGENT_COMMAND: 'sleep 600',
};
const AT_ONCE = 100;

type Headers = Readonly<Record<string, string>>;

interface Sender {
  readonly path: string;
  /** The header with the signature. */
  readonly header: string;
  /** What the signature is written with before it. */
  readonly prefix: string;
  readonly body: string;
  readonly extra: () => Headers;
  /** Signed text beside the body. */
  readonly before: (headers: Headers) => string;
}

const nothing = (): string => '';
const SENDERS: Readonly<Record<string, Sender>> = {
  github: {
    path: '/webhooks/github',
    header: 'x-hub-signature-256',
    prefix: 'sha256=',
    body: JSON.stringify({
      ...githubPayload('issue_comment'),
      comment: {
        ...(githubPayload('issue_comment').comment as object),
        body: '/agent grüße 🚀',
        author_association: 'OWNER',
      },
    }),
    extra: () => ({ 'x-github-event': 'issue_comment', 'x-github-delivery': randomUUID() }),
    before: nothing,
  },
  jira: {
    path: '/webhooks/jira',
    header: 'x-hub-signature',
    prefix: 'sha256=',
    body: JSON.stringify(payloads('jira')('comment_created')),
    extra: () => ({ 'x-atlassian-webhook-identifier': randomUUID() }),
    before: nothing,
  },
  slack: {
    path: '/webhooks/slack',
    header: 'x-slack-signature',
    prefix: 'v0=',
    body: JSON.stringify(payloads('slack')('app_mention')),
    extra: () => ({ 'x-slack-request-timestamp': String(Math.floor(Date.now() / 1000)) }),
    before: (headers) => `v0:${headers['x-slack-request-timestamp']}:`,
  },
  sentry: {
    path: '/webhooks/sentry',
    header: 'sentry-hook-signature',
    prefix: '',
    body: JSON.stringify(payloads('sentry')('event_alert')),
    extra: () => ({ 'request-id': randomUUID(), 'sentry-hook-resource': 'event_alert' }),
    before: nothing,
  },
};

async function send({ url }: Pick<Server, 'url'>, path: string, body: string | Uint8Array, headers: Headers) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body as BodyInit,
  });
  return {
    status: response.status,
    body: (await response.json()) as { code?: string; task_id?: string; status?: string },
  };
}

/** A bit of a text's byte turned over; what is left is one byte of a header still. */
function flipped(text: string, at: number): string {
  const code = text.charCodeAt(at);
  return `${text.slice(0, at)}${String.fromCharCode(code ^ 1)}${text.slice(at + 1)}`;
}

test('of each provider only the right signature over the very bytes is taken, by a server as it runs', {
  timeout: 120_000,
}, async (t) => {
  const server = await startServer(t, { env: ENV });
  for (const [name, { path, header, prefix, body, extra, before }] of Object.entries(SENDERS)) {
    const others = extra();
    const sign = (secret: string, text: string): string => `${prefix}${signed(secret, before(others), text)}`;
    const right = sign(SECRET, body);
    const hex = right.slice(prefix.length);
    const sha1 = createHmac('sha1', SECRET).update(body).digest('hex');
    const wrong: readonly (readonly [string, Headers, string])[] = [
      ['one bit of the signature', { [header]: flipped(right, right.length - 1) }, body],
      ['one bit of its first digit', { [header]: flipped(right, prefix.length) }, body],
      ['one bit of the body', { [header]: right }, flipped(body, body.length - 3)],
      ['another secret', { [header]: sign(`${SECRET}x`, body) }, body],
      [
        'no secret',
        { [header]: `${prefix}${createHmac('sha256', '').update(before(others)).update(body).digest('hex')}` },
        body,
      ],
      ['no signature', {}, body],
      ['an empty one', { [header]: '' }, body],
      ['the prefix alone', { [header]: prefix || ' ' }, body],
      ['a short one', { [header]: right.slice(0, -1) }, body],
      ['half of it', { [header]: `${prefix}${hex.slice(0, 32)}` }, body],
      ['a long one', { [header]: `${right}00` }, body],
      ['a very long one', { [header]: `${right}${'0'.repeat(4_000)}` }, body],
      ['no hex', { [header]: `${prefix}${'z'.repeat(64)}` }, body],
      ['two of them', { [header]: `${right}, ${right}` }, body],
      ['a body written anew', { [header]: right }, JSON.stringify(JSON.parse(body), null, 1)],
      ['a body with a line break more', { [header]: right }, `${body}\n`],
      ['a body in escapes', { [header]: right }, body.replace(/"/, '"\\u0061').replace(/^\{/, '{ ')],
      ['an empty body', { [header]: right }, ''],
      ['SHA-1', { [header]: `sha1=${sha1}` }, body],
      ['SHA-1 under our prefix', { [header]: `${prefix}${sha1}` }, body],
      ['the older header of SHA-1', { 'x-hub-signature': `sha1=${sha1}` }, body],
    ];
    for (const [what, headers, bytes] of wrong) {
      const answer = await send(server, path, bytes, { ...others, ...headers });
      assert.deepEqual([answer.status, answer.body.code], [401, 'invalid_signature'], `${name}: ${what}`);
    }
    const { total } = await call<{ total: number }>(
      server,
      `/api/tasks?limit=1&q=${encodeURIComponent(`source:webhook`)}`,
    );
    const taken = await send(server, path, body, { ...others, [header]: right });
    assert.ok([200, 202].includes(taken.status), `${name}: ${taken.status} ${JSON.stringify(taken.body)}`);
    const after = await call<{ total: number }>(server, '/api/tasks?limit=1&q=source:webhook');
    assert.equal(after.total - total, taken.status === 202 ? 1 : 0, name);
  }
});

test('no signature is compared but in constant time', async () => {
  const root = new URL('../../src/inlet/webhooks/', import.meta.url);
  const read = (name: string) => readFile(new URL(name, root), 'utf8');
  assert.match(await read('signature.ts'), /timingSafeEqual\(wanted, got\)/);
  assert.match(await read('github.ts'), /from '@octokit\/webhooks-methods'/);
  for (const name of ['jira.ts', 'slack.ts', 'sentry.ts']) assert.match(await read(name), /verifyHmac\(/, name);
});

test('the same delivery a hundred times at once, and again after a restart, is one task', {
  timeout: 120_000,
}, async (t) => {
  const first = await startServer(t, { env: ENV });
  const { path, header, body, extra } = SENDERS.github as Sender;
  const headers = { ...extra(), [header]: `sha256=${signed(SECRET, body)}` };
  /** As senders do: while it cannot be taken now, once more. */
  const deliver = async (server: Server) => {
    for (;;) {
      const answer = await send(server, path, body, headers);
      if (answer.status !== 503 && answer.status !== 429) return answer;
    }
  };
  const together = await Promise.all(Array.from({ length: AT_ONCE }, () => deliver(first)));
  const ids = new Set(together.map(({ body: { task_id: taskId } }) => taskId));
  assert.equal(ids.size, 1, JSON.stringify([...ids]));
  assert.ok(together.filter(({ status }) => status === 202).length <= 1);
  assert.ok(together.every(({ status }) => status === 200 || status === 202));
  await first.kill();
  const second = await startServer(t, { dataDir: first.dataDir, env: ENV });
  const again = await Promise.all(Array.from({ length: AT_ONCE }, () => deliver(second)));
  for (const { status, body } of again)
    assert.deepEqual([status, body.status, ids.has(body.task_id)], [200, 'duplicate', true]);
  assert.equal((await call<{ total: number }>(second, '/api/tasks?limit=1')).total, 1);
});
