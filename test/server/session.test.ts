import assert from 'node:assert/strict';
import test from 'node:test';
import { served } from '../support/served.ts';

const HOUR_MS = 60 * 60 * 1000;
const tokens = [
  { role: 'admin', token: 'a-secret', name: 'root' },
  { role: 'reader', token: 'r-secret' },
] as const;
const admin = { authorization: 'Bearer a-secret' };

type Served = Awaited<ReturnType<typeof served>>;

/** Sign in, and answer the cookie as a browser sends it, with what the browser was told of it. */
async function signedIn({ json }: Served, token: string) {
  const { status, body, headers } = await json('POST', '/api/session', { token });
  const [cookie = '', ...attributes] = (headers.get('set-cookie') ?? '').split('; ');
  return { status, body, cookie: { cookie }, attributes };
}

test('a session is got for a token, is what the token is, and ends when it is signed out', async (t) => {
  const server = await served(t, { settings: { tokens } });
  const { status, body, cookie, attributes } = await signedIn(server, 'a-secret');
  assert.deepEqual([status, body.role, body.name, body.kind], [200, 'admin', 'root', 'session']);
  assert.ok(attributes.includes('HttpOnly') && attributes.includes('SameSite=Strict') && attributes.includes('Path=/'));
  assert.ok(!attributes.includes('Secure'), 'this server is asked by http');
  const { json } = server;
  assert.deepEqual((await json('GET', '/api/session', undefined, cookie)).body, body);
  assert.equal((await json('POST', '/api/tasks', {}, cookie)).status, 201);
  const secret = cookie.cookie.split('=')[1] ?? '';
  assert.ok(secret.length >= 43 && !JSON.stringify(await server.store.credentials()).includes(secret));
  const out = await json('DELETE', '/api/session', undefined, cookie);
  assert.equal(out.status, 204);
  assert.match(out.headers.get('set-cookie') ?? '', /^tasktrail_session=;.*(Max-Age=0|1970)/);
  assert.equal((await json('GET', '/api/tasks', undefined, cookie)).status, 401);
  assert.equal((await json('DELETE', '/api/session')).status, 204, 'nobody may sign out as well');
});

test('a wrong token gives no session, and a reader cannot change anything with one', async (t) => {
  const server = await served(t, { settings: { tokens } });
  const { json } = server;
  const refused = await json('POST', '/api/session', { token: 'wrong' });
  assert.deepEqual([refused.status, refused.body.code, refused.headers.get('set-cookie')], [401, 'unauthorized', null]);
  for (const body of [{}, { token: '' }, { token: 1 }, []]) {
    assert.equal((await json('POST', '/api/session', body)).status, 400, JSON.stringify(body));
  }
  const { cookie } = await signedIn(server, 'r-secret');
  assert.equal((await json('GET', '/api/tasks', undefined, cookie)).status, 200);
  assert.equal((await json('POST', '/api/tasks', {}, cookie)).status, 403);
});

test('a cookie leaves by TLS only and below the prefix, where the public URL says so', async (t) => {
  const server = await served(t, { settings: { tokens, publicUrl: 'https://public.example/trail/' } });
  const { attributes } = await signedIn(server, 'a-secret');
  assert.ok(attributes.includes('Secure') && attributes.includes('Path=/trail/'));
});

test('a session that is used goes on, an idle one ends, and after a month each does', async (t) => {
  const clock = { nowMs: Date.parse('2026-01-24T10:00:00Z'), now: () => clock.nowMs };
  const server = await served(t, { settings: { tokens }, clock });
  const idle = await signedIn(server, 'a-secret');
  const used = await signedIn(server, 'a-secret');
  const statusOf = async ({ cookie }: typeof idle) =>
    (await server.json('GET', '/api/session', undefined, cookie)).status;
  clock.nowMs += 72 * HOUR_MS - 1;
  assert.equal(await statusOf(used), 200);
  clock.nowMs += 1;
  assert.deepEqual([await statusOf(used), await statusOf(idle)], [200, 401]);
  for (let day = 3; day < 30; day++) {
    assert.equal(await statusOf(used), 200, `day ${day}`);
    clock.nowMs += 24 * HOUR_MS;
  }
  assert.equal(await statusOf(used), 401);
});

test('a session goes with its token, also one of the settings that is not there any more', async (t) => {
  const server = await served(t, { settings: { tokens } });
  const { json, store } = server;
  const { body: made } = await json('POST', '/api/tokens', { name: 'ada', role: 'writer', expires_in_days: 2 }, admin);
  const session = await signedIn(server, made.token);
  assert.deepEqual([session.body.name, session.body.expires_at], ['ada', made.expires_at], 'nor does it last longer');
  const fixed = await signedIn(server, 'r-secret');
  await json('DELETE', `/api/tokens/${made.token_id}`, undefined, admin);
  assert.equal((await json('GET', '/api/tasks', undefined, session.cookie)).status, 401);
  const restarted = await served(t, { store, settings: { tokens } });
  assert.equal(
    (await restarted.json('GET', '/api/tasks', undefined, fixed.cookie)).status,
    200,
    'it outlives a restart',
  );
  const changed = await served(t, { store, settings: { tokens: [tokens[0], { role: 'reader', token: 'another' }] } });
  assert.equal((await changed.json('GET', '/api/tasks', undefined, fixed.cookie)).status, 401);
});

test('who is asked who they are is told, or is nobody', async (t) => {
  const closed = await served(t, { settings: { tokens } });
  assert.equal((await closed.json('GET', '/api/session')).status, 401);
  const bearer = await closed.json('GET', '/api/session', undefined, admin);
  assert.deepEqual([bearer.body.kind, bearer.body.role, bearer.body.name], ['token', 'admin', 'root']);
  const open = await served(t);
  assert.deepEqual((await open.json('GET', '/api/session')).body, {
    ...{ role: 'admin', name: null, kind: 'loopback', task_id: null, expires_at: null },
  });
});
