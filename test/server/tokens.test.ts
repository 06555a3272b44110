import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { type ServedOptions, served } from '../support/served.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const admin = { authorization: 'Bearer a-secret' };
const tokens = [{ role: 'admin', token: 'a-secret', name: 'root' }] as const;
const as = (token: string) => ({ authorization: `Bearer ${token}` });

function withAdmin(t: Parameters<typeof served>[0], options: ServedOptions = {}) {
  return served(t, { ...options, settings: { tokens, ...options.settings } });
}

test('a token is shown once, opens what its role may, and is kept by its digest alone', async (t) => {
  const { json, store } = await withAdmin(t);
  const made = await json('POST', '/api/tokens', { name: ' ci ', role: 'writer' }, admin);
  assert.equal(made.status, 201);
  const { token, token_id: id } = made.body;
  assert.match(token, /^tt_[\w-]{43}$/);
  assert.equal(made.headers.get('cache-control'), 'no-store');
  assert.deepEqual(
    { ...made.body, token: '', token_id: '', created_at: '' },
    {
      ...{ token: '', token_id: '', name: 'ci', role: 'writer', hint: token.slice(0, 7), fixed: false, created_at: '' },
      ...{ created_by: 'root', expires_at: null, expired: false, last_used_at: null },
    },
  );
  const task = await json('POST', '/api/tasks', {}, as(token));
  assert.deepEqual([task.status, task.body.user_id], [201, 'ci']);
  assert.equal((await json('POST', '/api/tokens', { name: 'x', role: 'reader' }, as(token))).status, 403);
  assert.equal((await json('GET', '/api/tokens', undefined, as(token))).status, 403);
  const listed = await json('GET', '/api/tokens', undefined, admin);
  assert.deepEqual(
    listed.body.tokens.map(({ name, fixed }: { name: string; fixed: boolean }) => [name, fixed]),
    [
      ['root', true],
      ['ci', false],
    ],
  );
  assert.ok(listed.body.tokens[1].last_used_at, 'it was used');
  const kept = JSON.stringify([listed.body, await store.credentials()]);
  assert.ok(!kept.includes(token) && !kept.includes('a-secret'));
  assert.ok(kept.includes(createHash('sha256').update(token).digest('base64url')));
  assert.equal((await json('DELETE', `/api/tokens/${id}`, undefined, admin)).status, 204);
  const refused = await json('GET', '/api/tasks', undefined, as(token));
  assert.deepEqual([refused.status, refused.body.code], [401, 'unauthorized']);
  assert.equal((await json('DELETE', `/api/tokens/${id}`, undefined, admin)).body.code, 'token_not_found');
});

test('a token ends when it was said to', async (t) => {
  const clock = { nowMs: Date.parse('2026-01-24T10:00:00Z'), now: () => clock.nowMs };
  const { json } = await withAdmin(t, { clock });
  const made = await json('POST', '/api/tokens', { name: 'ci', role: 'reader', expires_in_days: 1 }, admin);
  assert.equal(made.body.expires_at, '2026-01-25T10:00:00.000Z');
  clock.nowMs += DAY_MS - 1;
  assert.equal((await json('GET', '/api/tasks', undefined, as(made.body.token))).status, 200);
  clock.nowMs += 1;
  assert.equal((await json('GET', '/api/tasks', undefined, as(made.body.token))).status, 401);
  const listed = await json('GET', '/api/tokens', undefined, admin);
  assert.equal(listed.body.tokens[1].expired, true);
});

test('a wish that makes no sense is refused with its reason', async (t) => {
  const { json } = await withAdmin(t);
  for (const [wish, path] of [
    [{ role: 'reader' }, 'name'],
    [{ name: '  ', role: 'reader' }, 'name'],
    [{ name: 'x'.repeat(101), role: 'reader' }, 'name'],
    [{ name: 'x', role: 'owner' }, 'role'],
    [{ name: 'x', role: 'reader', expires_at: '2020-01-01' }, 'expires_at'],
    [{ name: 'x', role: 'reader', expires_at: 'tomorrow' }, 'expires_at'],
    [{ name: 'x', role: 'reader', expires_in_days: 0 }, 'expires_in_days'],
    [{ name: 'x', role: 'reader', expires_in_days: 4_000 }, 'expires_in_days'],
    [{ name: 'x', role: 'reader', expires_in_days: 1, expires_in_seconds: 1 }, 'expires_in_seconds'],
    [{ name: 'x', role: 'reader', token: 'chosen' }, 'token'],
  ] as const) {
    const refused = await json('POST', '/api/tokens', wish, admin);
    assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_token'], JSON.stringify(wish));
    assert.deepEqual(
      refused.body.errors.map((error: { path: string }) => error.path),
      [path],
      JSON.stringify(wish),
    );
  }
  const listed = await json('GET', '/api/tokens', undefined, admin);
  assert.equal(listed.body.tokens.length, 1);
  const { token_id: fixed } = listed.body.tokens[0];
  assert.equal((await json('DELETE', `/api/tokens/${fixed}`, undefined, admin)).body.code, 'token_fixed');
});

test('on a server that only this machine reaches, tokens change nothing for a caller on it', async (t) => {
  const { json } = await served(t);
  const made = await json('POST', '/api/tokens', { name: 'script', role: 'reader' });
  assert.equal(made.status, 201);
  assert.equal((await json('POST', '/api/tasks', {})).status, 201, 'who shows nothing is still admin');
  assert.equal((await json('POST', '/api/tasks', {}, as(made.body.token))).status, 403, 'who shows a token is that');
  assert.equal((await json('POST', '/api/tasks', {}, as('of-another-server'))).status, 201);
  assert.equal((await json('DELETE', `/api/tokens/${made.body.token_id}`)).status, 204);
  assert.equal(
    (await json('GET', '/api/tasks', undefined, as(made.body.token))).status,
    401,
    'a revoked one is nobody',
  );
});

test('on a server that others reach, the first token closes it, and the last one cannot be revoked', async (t) => {
  for (const settings of [
    { publicUrl: 'https://public.example' },
    { allowedHosts: ['trail.lan'] },
    { trustProxy: '10.0.0.1' },
  ]) {
    const { json } = await served(t, { settings: { ...settings, localToken: 'of-this-run' } });
    assert.equal((await json('GET', '/api/tasks')).status, 200);
    const first = await json('POST', '/api/tokens', { name: 'ci', role: 'writer' });
    assert.deepEqual([first.status, first.body.code], [409, 'last_token'], 'nobody could make another');
    const made = await json('POST', '/api/tokens', { name: 'ada', role: 'admin' });
    assert.equal(made.status, 201);
    assert.equal((await json('GET', '/api/tasks')).status, 401);
    assert.equal((await json('GET', '/api/tasks', undefined, as(made.body.token))).status, 200);
    assert.equal(
      (await json('GET', '/api/tokens', undefined, as('of-this-run'))).status,
      200,
      'the command line gets in',
    );
    const revoked = await json('DELETE', `/api/tokens/${made.body.token_id}`, undefined, as('of-this-run'));
    assert.deepEqual([revoked.status, revoked.body.code], [409, 'last_token'], 'everybody would be admin');
  }
});

test('a token that another process makes or revokes holds or ends within seconds, also for what follows', async (t) => {
  const { json, call, store, taskWith, url } = await withAdmin(t);
  const other = await served(t, { settings: { tokens } });
  await taskWith('t', 1);
  const made = await other.json('POST', '/api/tokens', { name: 'ci', role: 'reader' }, admin);
  const [credential] = (await other.store.credentials())?.list ?? [];
  assert.ok(credential);
  assert.equal((await json('GET', '/api/tasks', undefined, as(made.body.token))).status, 401);
  await store.changeCredentials({ add: credential });
  assert.equal((await json('GET', '/api/tasks', undefined, as(made.body.token))).status, 200, 'known at once');
  const stream = await call('GET', '/api/tasks/t/logs?follow=true', undefined, as(made.body.token));
  const lines = await call('GET', '/api/tasks/t/logs?follow=true', undefined, {
    ...as(made.body.token),
    accept: 'application/x-ndjson',
  });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/logs/t`, [
    `tasktrail.bearer.${Buffer.from(made.body.token).toString('base64url')}`,
  ]);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
  await store.changeCredentials({ remove: [credential.id] });
  assert.equal(await closed, 4401);
  assert.match(await stream.text(), /line 1/, 'both streams end');
  assert.doesNotMatch(await lines.text(), /"event":"end"/);
  assert.equal((await json('GET', '/api/tasks', undefined, as(made.body.token))).status, 401);
});
