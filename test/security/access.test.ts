import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import test from 'node:test';
import { WebSocket } from 'ws';
import { served } from '../support/served.ts';

const tokens = [{ role: 'admin', token: 'a-secret', name: 'root' }] as const;
const admin = { authorization: 'Bearer a-secret' };
type Headers = Readonly<Record<string, string>>;

/** A plain request sends the Host and Origin that it is told; `fetch` does not. */
function send(port: number, { method, path, headers }: { method: string; path: string; headers: Headers }) {
  return new Promise<{ status: number; code: string; cookies: number }>((resolve, reject) => {
    const body = method === 'GET' || method === 'DELETE' ? '' : '{}';
    const type = body === '' ? {} : { 'content-type': 'application/json' };
    const sent = request(
      { port, host: '127.0.0.1', method, path, headers: { ...type, ...headers } },
      async (answer) => {
        const text = Buffer.concat(await answer.toArray()).toString();
        const code = text.startsWith('{') ? String(JSON.parse(text).code) : '';
        resolve({ status: answer.statusCode ?? 0, code, cookies: answer.headers['set-cookie']?.length ?? 0 });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

type Served = Awaited<ReturnType<typeof served>>;

/** Every route that changes something; `signed` ones bear a signature that no browser has. */
function changing({ server }: Served): readonly { method: string; path: string }[] {
  const methods = ['POST', 'PUT', 'PATCH', 'DELETE'];
  return server.routes
    .filter(({ method, config }) => methods.includes(method) && !config().signed)
    .map(({ method, url }) => ({ method, path: url.replace(':task_id', 't').replaceAll(/:\w+/g, '1') }));
}

/** What a page elsewhere makes a browser send to this server. */
function tricks(port: number): readonly (Headers & { readonly host: string })[] {
  const host = `localhost:${port}`;
  return [
    { host, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { host, origin: 'https://evil.example' },
    { host, origin: 'null' },
    { host, origin: `http://localhost:${port + 1}`, 'sec-fetch-site': 'same-site' },
    { host, origin: `http://${host}.evil.example` },
    { host, origin: '' },
    { host, 'sec-fetch-site': 'cross-site' },
    { host, 'sec-fetch-site': 'same-site' },
    // A name that was bound to this address after its page was loaded: to the browser it is that page's own server.
    { host: `evil.example:${port}`, origin: `http://evil.example:${port}`, 'sec-fetch-site': 'same-origin' },
    { host: `evil.example:${port}` },
    { host: '169.254.169.254' },
  ];
}

test('a page elsewhere changes nothing, neither as the person at this machine nor by the cookie of who is signed in', async (t) => {
  for (const settings of [{}, { tokens }]) {
    const server = await served(t, { settings });
    const { port, json, store } = server;
    await server.taskWith('t', 1);
    let cookie: Headers = {};
    if ('tokens' in settings) {
      const { headers } = await json('POST', '/api/session', { token: 'a-secret' });
      cookie = { cookie: (headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
      assert.equal((await json('GET', '/api/tasks', undefined, cookie)).status, 200);
    }
    const before = JSON.stringify([await store.task('t'), await store.credentials(), await store.webhooks()]);
    const routes = changing(server);
    assert.ok(routes.length > 40);
    const accepted: string[] = [];
    for (const { method, path } of routes) {
      for (const trick of tricks(port)) {
        const { status, code, cookies } = await send(port, { method, path, headers: { ...trick, ...cookie } });
        const refused = status === 403 && /^(host|origin)_not_allowed$/.test(code) && cookies === 0;
        if (!refused) accepted.push(`${method} ${path} ${JSON.stringify(trick)}: ${status} ${code}`);
      }
    }
    assert.deepEqual(accepted, []);
    assert.equal(JSON.stringify([await store.task('t'), await store.credentials(), await store.webhooks()]), before);
    const own = { host: `localhost:${port}`, origin: `http://localhost:${port}`, 'sec-fetch-site': 'same-origin' };
    const path = '/api/tasks/t/complete';
    assert.equal(
      (await send(port, { method: 'POST', path, headers: { ...own, ...cookie } })).status,
      200,
      'our own page',
    );
  }
});

test('another name for this address is answered nothing, read or write', async (t) => {
  const { port, taskWith } = await served(t);
  await taskWith('t', 1);
  for (const path of ['/', '/health', '/api/tasks/t/logs', '/api/session', '/share/x', '/openapi.json', '/ws/tasks']) {
    const { status, code } = await send(port, { method: 'GET', path, headers: { host: `rebound.example:${port}` } });
    assert.deepEqual([status, code], [403, 'host_not_allowed'], path);
  }
});

test('what is no token, or one no longer, opens nothing over REST, streams or sockets', async (t) => {
  const clock = { nowMs: Date.now(), now: () => clock.nowMs };
  const server = await served(t, { settings: { tokens }, clock });
  const { json, url, taskWith } = server;
  await taskWith('t', 1);
  const made = async (wish: object) =>
    (await json('POST', '/api/tokens', { name: 'x', role: 'admin', ...wish }, admin)).body;
  const [good, revoked, expired] = [await made({}), await made({}), await made({ expires_in_seconds: 60 })];
  const session = async (token: string): Promise<string> =>
    ((await json('POST', '/api/session', { token })).headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const cookies = [await session(revoked.token), await session(expired.token)];
  const share = (await json('POST', '/api/shares', { task_id: 't', expires_in_seconds: 60 }, admin)).body;
  const link = share.url.split('/').at(-1);
  await json('DELETE', `/api/tokens/${revoked.token_id}`, undefined, admin);
  clock.nowMs += 60_000;
  const bearers = ['', 'x', 'tt_', revoked.token, expired.token, link, `${good.token}x`, good.token.slice(0, -1)];
  const ways: Record<string, string>[] = [
    {},
    ...bearers.map((token) => ({ authorization: `Bearer ${token}` })),
    ...[...cookies, 'tasktrail_session=', `tasktrail_session=${good.token}`].map((cookie) => ({ cookie })),
    { cookie: `tasktrail_shares=${link}` },
    { authorization: `Basic ${Buffer.from(`x:${good.token}`).toString('base64')}` },
    { 'x-api-key': good.token },
  ];
  const accepted: string[] = [];
  for (const headers of ways) {
    for (const path of ['/api/tasks', '/api/tasks/t', '/api/tasks/t/logs', '/api/session?task_id=t', '/metrics']) {
      const { status } = await json('GET', path, undefined, headers);
      if (status !== 401) accepted.push(`${path} ${JSON.stringify(headers)}: ${status}`);
    }
    for (const accept of ['text/event-stream', 'application/x-ndjson']) {
      const { status } = await json('GET', '/tasks/t/logs?follow=true', undefined, { ...headers, accept });
      if (status !== 401) accepted.push(`${accept} ${JSON.stringify(headers)}: ${status}`);
    }
    for (const path of ['/ws/logs/t', '/ws/tasks', '/api/tasks/t/logs/ws']) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers });
      const frames: { type: string }[] = [];
      socket.on('message', (data) => frames.push(JSON.parse(String(data))));
      const [code] = await once(socket, 'close');
      const told = frames.map(({ type }) => type).join();
      if (code !== 4401 || told !== 'error') accepted.push(`${path} ${JSON.stringify(headers)}: ${code} ${told}`);
    }
  }
  assert.deepEqual(accepted, []);
  for (const token of [revoked.token, expired.token, link]) {
    assert.equal((await json('POST', '/api/session', { token })).status, 401, 'nor does it sign anybody in');
  }
  assert.equal((await json('GET', '/api/tasks', undefined, { authorization: `Bearer ${good.token}` })).status, 200);
});
