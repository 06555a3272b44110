import assert from 'node:assert/strict';
import test from 'node:test';
import { AUDIT_REFUSALS_MINUTE } from '../../src/core/limits.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import { served } from '../support/served.ts';

const SECRET = 'a-secret-that-nobody-may-read';
const tokens = [
  { role: 'admin', token: 'a-secret', name: 'root' },
  { role: 'writer', token: 'w-secret', name: 'robot' },
  { role: 'reader', token: 'r-secret', name: 'guest' },
] as const;
const as = (token: string) => ({ authorization: `Bearer ${token}` });

test('what people do to tasks is on record: who, from where, what, to which', async (t) => {
  const { json, store } = await served(t, { settings: { tokens } });
  await json('POST', '/api/tasks', { task_id: 'a' }, as('w-secret'));
  for (const [act, from] of [
    ['approve', 'pending_approval'],
    ['reject', 'pending_approval'],
    ['cancel', 'executing'],
  ]) {
    await json('POST', '/api/tasks', { task_id: act, status: from }, as('w-secret'));
    const done = await json('POST', `/api/tasks/${act}/${act}`, undefined, as('w-secret'));
    assert.equal(done.status, 200, JSON.stringify(done.body));
  }
  await json('PATCH', '/api/tasks/a', { title: 'new', pinned: true }, as('a-secret'));
  const answered = await json('DELETE', '/api/tasks/a?force=true', undefined, as('a-secret'));
  assert.equal(answered.status, 204);
  assert.equal((await json('DELETE', '/tasks/cancel', undefined, as('a-secret'))).status, 204);

  const { status, body } = await json('GET', '/api/audit', undefined, as('a-secret'));
  assert.equal(status, 200);
  const told = body.records.map((one: Told) => [one.audit_id, one.actor.name, one.action, one.target.id, one.outcome]);
  assert.deepEqual(told, [
    [6, 'root', 'task.delete', 'cancel', 'done'],
    [5, 'root', 'task.force_delete', 'a', 'done'],
    [4, 'root', 'task.change', 'a', 'done'],
    [3, 'robot', 'task.cancel', 'cancel', 'done'],
    [2, 'robot', 'task.reject', 'reject', 'done'],
    [1, 'robot', 'task.approve', 'approve', 'done'],
  ]);
  const [deleted, forced, changed] = body.records;
  assert.deepEqual(deleted.actor, { kind: 'token', name: 'root', role: 'admin', address: '127.0.0.1' });
  assert.deepEqual([deleted.target.type, deleted.details.status], ['task', 'cancelled']);
  assert.equal(forced.request_id, answered.headers.get('x-request-id'));
  assert.deepEqual(changed.details, {
    title: { before: null, after: 'new' },
    pinned: { before: false, after: true },
  });
  assert.equal(body.dropped, 0);
  assert.equal((await store.audit({ limit: 10 })).records.length, 6);
});

test('what was refused because it is wrong, and what a program reports, is not on record', async (t) => {
  const { json, store } = await served(t);
  await json('POST', '/api/tasks', { task_id: 'a' });
  await json('POST', '/api/tasks/a/logs', { message: 'x' });
  await json('POST', '/api/tasks/a/heartbeat');
  await json('POST', '/api/tasks/a/complete', {});
  assert.equal((await json('DELETE', '/api/tasks/nobody')).status, 404);
  assert.equal((await json('POST', '/api/tasks/a/cancel')).status, 409);
  assert.equal((await json('PATCH', '/api/tasks/a', { nonsense: 1 })).status, 400);
  assert.equal((await json('POST', '/api/storage/prune', { dry_run: true, older_than_days: 0 })).status, 200);
  assert.deepEqual((await store.audit({ limit: 10 })).records, []);
});

test('a run that somebody starts is on record with its task', async (t) => {
  const idle: Plugin = { id: 'idle', name: 'Idle', execute: () => null };
  const { json } = await served(t, { plugins: [idle] });
  const made = await json('POST', '/api/tasks', { plugin: 'idle' });
  const { body } = await json('GET', '/api/audit');
  assert.deepEqual(
    body.records.map(({ actor, action, target, details }: Told) => ({ actor: actor.kind, action, target, details })),
    [
      {
        actor: 'loopback',
        action: 'plugin.run',
        target: { type: 'task', id: made.body.task_id },
        details: { plugin: 'idle' },
      },
    ],
  );
});

test('a changed setting is on record with what it was and what it is', async (t) => {
  const { json } = await served(t);
  await json('PATCH', '/api/settings/logging', { level: 'DEBUG' });
  const [record] = (await json('GET', '/api/audit')).body.records;
  assert.deepEqual([record.action, record.target], ['setting.change', { type: 'setting', id: 'logging' }]);
  assert.deepEqual(record.details, { level: { before: 'INFO', after: 'DEBUG' } });
});

test('webhooks and alerts are on record from making to deleting, and never with a secret', async (t) => {
  const { json, call } = await served(t);
  const hook = {
    webhook_id: 'wh-1',
    name: 'Hook',
    provider: 'builds',
    signature: { type: 'hmac-sha256', header: 'X-Signature', encoding: 'hex' },
    commands: [{ name: 'explain', trigger: 'failed', prompt: 'Why?' }],
  };
  assert.equal((await json('POST', '/api/webhooks', { ...hook, secret: SECRET })).status, 201);
  const changed = { ...hook, name: 'Other', secret: `${SECRET}-2` };
  assert.equal((await json('PUT', '/api/webhooks/wh-1', changed)).status, 200);
  for (const act of ['disable', 'enable']) {
    assert.equal((await json('POST', `/api/webhooks/wh-1/${act}`)).status, 200);
  }
  assert.equal((await json('DELETE', '/api/webhooks/wh-1')).status, 204);
  const webhook = `https://hooks.example.com/${SECRET}`;
  const rule = { name: 'Errors', query: 'level:error', to: [{ webhook, secret: SECRET }] };
  const made = await json('POST', '/api/alerts', { id: 'errors', ...rule });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const replaced = { ...rule, query: 'level:warning', to: [{ webhook: `${webhook}/2`, secret: SECRET }] };
  assert.equal((await json('PUT', '/api/alerts/errors', replaced)).status, 200);
  assert.equal((await json('DELETE', '/api/alerts/errors')).status, 204);

  const file = await (await call('GET', '/api/audit?format=jsonl')).text();
  const records = file
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(records.map(({ action, target }) => [action, target.id]).reverse(), [
    ['webhook.create', 'wh-1'],
    ['webhook.update', 'wh-1'],
    ['webhook.disable', 'wh-1'],
    ['webhook.enable', 'wh-1'],
    ['webhook.delete', 'wh-1'],
    ['alert.create', 'errors'],
    ['alert.update', 'errors'],
    ['alert.delete', 'errors'],
  ]);
  const details = Object.fromEntries(records.map(({ action, details }) => [action, details]));
  assert.deepEqual(details['webhook.update'], { name: { before: 'Hook', after: 'Other' }, secret: 'changed' });
  assert.equal(details['alert.update'].query.after, 'level:warning');
  assert.ok(!file.includes(SECRET), file);
});

test('whoever may not change something is on record; a flood of them fills nothing', async (t) => {
  let nowMs = Date.parse('2026-01-24T10:00:00Z');
  const { json, store } = await served(t, { settings: { tokens }, clock: { now: () => nowMs } });
  const refused = await json('DELETE', '/api/tasks/t', undefined, as('r-secret'));
  assert.equal(refused.status, 403);
  const [record] = (await store.audit({ limit: 1 })).records;
  assert.deepEqual(
    [record?.actor.name, record?.action, record?.target.id, record?.outcome],
    ['guest', 'task.delete', 't', 'refused'],
  );
  assert.deepEqual(record?.details, { route: 'DELETE /api/tasks/:task_id', code: 'forbidden' });
  for (let n = 0; n < AUDIT_REFUSALS_MINUTE + 20; n++) {
    assert.equal((await json('POST', '/api/tasks/t/logs', { message: 'x' }, as('r-secret'))).status, 403);
  }
  assert.equal((await store.audit({ limit: 1000 })).records.length, AUDIT_REFUSALS_MINUTE);
  nowMs += 60_000;
  await json('PATCH', '/api/settings/logging', {}, as('w-secret'));
  const [next] = (await store.audit({ limit: 1 })).records;
  assert.deepEqual([next?.action, next?.details?.not_recorded], ['setting.change', 21]);
});

test('tokens, links and sessions are on record, also one that was refused, and never what they are', async (t) => {
  const { json, call, taskWith } = await served(t, { settings: { tokens } });
  await taskWith('t', 0);
  const token = await json('POST', '/api/tokens', { name: 'ci', role: 'writer' }, as('a-secret'));
  const link = await json('POST', '/api/shares', { task_id: 't' }, as(token.body.token));
  assert.equal((await json('POST', '/api/session', { token: 'a-guess' })).status, 401);
  const signedIn = await call('POST', '/api/session', { token: token.body.token });
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  assert.equal((await call('POST', '/api/tasks/t/cancel', undefined, { cookie })).status, 200);
  const page = await call('GET', '/api/audit', undefined, as('a-secret'));
  const text = await page.text();
  assert.deepEqual(
    JSON.parse(text).records.map((one: Told) => [one.actor.kind, one.actor.name, one.action, one.outcome]),
    [
      ['session', 'ci', 'task.cancel', 'done'],
      ['session', 'ci', 'session.start', 'done'],
      ['unknown', null, 'session.start', 'refused'],
      ['token', 'ci', 'share.create', 'done'],
      ['token', 'root', 'token.create', 'done'],
    ],
  );
  for (const secret of [token.body.token, link.body.url.split('/').at(-1), cookie.split('=')[1], 'a-guess']) {
    assert.ok(secret.length > 5 && !text.includes(secret));
  }
});

test('a page of another origin that tries to change something is on record', async (t) => {
  const { json, store } = await served(t);
  const refused = await json('DELETE', '/api/tasks/t', undefined, { origin: 'https://evil.example' });
  assert.equal(refused.status, 403);
  const [record] = (await store.audit({ limit: 1 })).records;
  assert.deepEqual([record?.actor.kind, record?.details?.code], ['unknown', 'origin_not_allowed']);
});

test('the audit is an admin’s to read, and nobody’s to change', async (t) => {
  const { json } = await served(t, { settings: { tokens } });
  for (const token of ['r-secret', 'w-secret']) {
    assert.equal((await json('GET', '/api/audit', undefined, as(token))).status, 403);
  }
  assert.equal((await json('GET', '/api/audit', undefined, as('a-secret'))).status, 200);
  for (const method of ['DELETE', 'POST', 'PUT', 'PATCH']) {
    assert.equal((await json(method, '/api/audit', {}, as('a-secret'))).status, 405, method);
  }
});

test('the audit is filtered and paged by a cursor that stays where it was', async (t) => {
  const { json, taskWith } = await served(t);
  for (let n = 0; n < 7; n++) await taskWith(`t${n}`, 0);
  for (let n = 0; n < 7; n++) await json('POST', `/api/tasks/t${n}/cancel`);
  await json('PATCH', '/api/settings/logging', { level: 'ERROR' });
  const first = await json('GET', '/api/audit?limit=3&action=task.*');
  assert.deepEqual(ids(first.body), ['t6', 't5', 't4']);
  await json('DELETE', '/api/tasks/t0');
  const second = await json('GET', `/api/audit?limit=3&action=task.*&cursor=${first.body.next_cursor}`);
  assert.deepEqual(ids(second.body), ['t3', 't2', 't1']);
  const third = await json('GET', `/api/audit?limit=3&action=task.*&cursor=${second.body.next_cursor}`);
  assert.deepEqual([ids(third.body), third.body.next_cursor], [['t0'], null]);
  assert.deepEqual(ids((await json('GET', '/api/audit?target=task:t0')).body), ['t0', 't0']);
  assert.deepEqual(ids((await json('GET', '/api/audit?action=setting.change,task.delete')).body), ['t0', 'logging']);
  assert.equal(ids((await json('GET', '/api/audit?actor=loopback&to=2020-01-01')).body).length, 0);
  for (const wrong of ['cursor=x', 'from=yesterday', 'limit=0', 'format=xml', 'nonsense=1']) {
    assert.equal((await json('GET', `/api/audit?${wrong}`)).status, 400, wrong);
  }
});

test('the audit leaves as a file: NDJSON and CSV, all of it', async (t) => {
  const { call, intake } = await served(t);
  for (let n = 1; n <= 1_234; n++) {
    await intake.audit({
      actor: { kind: 'cli', name: '=cmd', role: null, address: null },
      action: 'task.cancel',
      target: { type: 'task', id: `t${n}` },
      requestId: null,
      outcome: 'done',
      details: null,
    });
  }
  const lines = await call('GET', '/api/audit', undefined, { accept: 'application/x-ndjson' });
  assert.match(lines.headers.get('content-disposition') ?? '', /^attachment; filename="audit\.jsonl"$/);
  const read = (await lines.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).audit_id);
  assert.deepEqual(
    read,
    Array.from({ length: 1_234 }, (_, n) => 1_234 - n),
  );
  const table = await call('GET', '/api/audit?format=csv&target=t7');
  assert.match(table.headers.get('content-type') ?? '', /^text\/csv/);
  const [head, row, ...rest] = (await table.text()).split('\r\n');
  assert.match(head ?? '', /^audit_id,at,actor_kind,actor_name/);
  assert.match(row ?? '', /^7,[^,]+,cli,"'=cmd",,,task\.cancel,task,t7,done,,$/);
  assert.deepEqual(rest, ['']);
});

test('no change is answered as done that could not be put on record', async (t) => {
  const { json, store, taskWith } = await served(t);
  await taskWith('a', 0);
  t.mock.method(store, 'addAudit', async () => {
    throw Object.assign(new Error('the disk is full'), { code: 'X' });
  });
  const answer = await json('POST', '/api/tasks/a/cancel');
  assert.deepEqual(
    [answer.status, answer.headers.get('content-type')],
    [500, 'application/problem+json; charset=utf-8'],
  );
});

interface Told {
  readonly audit_id: number;
  readonly actor: { readonly kind: string; readonly name: string | null };
  readonly action: string;
  readonly target: { readonly type: string; readonly id: string | null };
  readonly outcome: string;
  readonly details: object | null;
}

function ids({ records }: { records: readonly Told[] }): readonly (string | null)[] {
  return records.map(({ target }) => target.id);
}
