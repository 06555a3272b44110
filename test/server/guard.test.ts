import assert from 'node:assert/strict';
import { request } from 'node:http';
import test from 'node:test';
import { served } from '../support/served.ts';

const tokens = [
  { role: 'admin', token: 'a-secret', name: 'root' },
  { role: 'writer', token: 'w-secret', name: 'robot' },
  { role: 'reader', token: 'r-secret' },
] as const;

/** `fetch` sets Host and Origin itself; a plain request sends what it is told. */
function send(
  port: number,
  {
    method = 'GET',
    path = '/api/tasks',
    headers = {},
  }: { method?: string; path?: string; headers?: Record<string, string> },
) {
  return new Promise<{ status: number | undefined; code: string | undefined }>((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', method, path, headers }, async (response) => {
      const chunks = await response.toArray();
      const body = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode, code: body.startsWith('{') ? JSON.parse(body).code : undefined });
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('without tokens a caller on loopback is admin', async (t) => {
  const { json } = await served(t);
  assert.equal((await json('POST', '/api/tasks', {})).status, 201);
});

test('without tokens a caller from elsewhere is nobody', async (t) => {
  const { port } = await served(t, { settings: { trustProxy: '127.0.0.1' } });
  const refused = await send(port, { headers: { 'x-forwarded-for': '203.0.113.5' } });
  assert.deepEqual(refused, { status: 401, code: 'unauthorized' });
  assert.equal((await send(port, { headers: { 'x-forwarded-for': '127.0.0.1' } })).status, 200);
});

test('what an untrusted proxy says takes the rights of this machine, and gives none', async (t) => {
  const { port } = await served(t);
  const foreign: readonly (readonly [name: string, value: string])[] = [
    ['x-forwarded-for', '203.0.113.5'],
    ['x-forwarded-for', '127.0.0.1, 203.0.113.5'],
    ['x-real-ip', '203.0.113.5'],
    ['forwarded', 'for=127.0.0.1'],
  ];
  for (const [name, value] of foreign) {
    const refused = await send(port, { headers: { [name]: value } });
    assert.deepEqual(refused, { status: 401, code: 'unauthorized' }, `${name}: ${value}`);
  }
  // A proxy of a developer's own, for their own browser.
  assert.equal((await send(port, { headers: { 'x-forwarded-for': '127.0.0.1, ::1' } })).status, 200);
});

test('with tokens everything but the open routes needs one', async (t) => {
  const { json, call } = await served(t, { settings: { tokens } });
  const openRoutes = [
    '/',
    '/t/x',
    '/search',
    '/costs',
    '/settings',
    '/health',
    '/ready',
    '/docs',
    '/docs/',
    '/docs/json',
    '/openapi.json',
    '/redoc/start.js',
  ];
  for (const path of openRoutes) assert.equal((await call('GET', path)).status, 200, path);
  const { body: api } = await json('GET', '/openapi.json');
  const described = Object.entries(api.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method.toUpperCase(), path.replace('{task_id}', 't')] as const),
  );
  assert.ok(described.length > 20);
  for (const [method, path] of described) {
    // What comes by webhooks bears a signature of its own; who signs in shows a token in the body, and signing out gives nothing away.
    if (openRoutes.includes(path) || path.startsWith('/webhooks/')) continue;
    if (path === '/api/session' && method !== 'GET') continue;
    for (const spelled of [path, `${path}/`, path.replace('/api/tasks', '/tasks')]) {
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { authorization: 'Basic YTpi' },
        { authorization: 'Bearer' },
      ]) {
        const refused = await json(method, spelled, undefined, headers as Record<string, string>);
        assert.deepEqual([refused.status, refused.body?.code], [401, 'unauthorized'], `${method} ${spelled}`);
        assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer/);
      }
    }
  }
  assert.equal((await call('GET', '/nowhere')).status, 401);
});

test('a reader reads, a writer changes, an admin does both', async (t) => {
  const { json } = await served(t, { settings: { tokens } });
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const made = await json('POST', '/api/tasks', { task_id: 't' }, as('w-secret'));
  assert.deepEqual([made.status, made.body.user_id], [201, 'robot']);
  for (const token of ['r-secret', 'w-secret', 'a-secret']) {
    assert.equal((await json('GET', '/api/tasks/t/logs', undefined, as(token))).status, 200);
    assert.equal((await json('GET', '/metrics', undefined, { ...as(token), accept: 'application/json' })).status, 200);
  }
  for (const [method, path, body] of [
    ['POST', '/api/tasks', {}],
    ['PATCH', '/api/tasks/t', { title: 'x' }],
    ['DELETE', '/api/tasks/t', undefined],
    ['POST', '/api/tasks/t/logs', { message: 'x' }],
    ['POST', '/tasks/t/complete', undefined],
  ] as const) {
    const refused = await json(method, path, body, as('r-secret'));
    assert.deepEqual([refused.status, refused.body.code], [403, 'forbidden'], `${method} ${path}`);
  }
  assert.equal((await json('POST', '/api/tasks/t/logs', { message: 'x' }, as('a-secret'))).status, 200);
  assert.equal((await json('GET', '/api/tasks', undefined, { authorization: 'bearer r-secret' })).status, 200);
});

test('a token in the URL is no token', async (t) => {
  const { json } = await served(t, { settings: { tokens } });
  assert.equal((await json('GET', '/api/tasks?token=a-secret')).status, 401);
  assert.equal((await json('GET', '/api/tasks?access_token=a-secret')).status, 401);
});

test('only our host names are answered, on open routes too', async (t) => {
  const { port } = await served(t, {
    settings: { allowedHosts: ['trail.example'], publicUrl: 'https://public.example/trail' },
  });
  for (const host of [
    'localhost',
    `localhost:${port}`,
    '127.0.0.1',
    `[::1]:${port}`,
    'LOCALHOST',
    'trail.example:8000',
    'public.example',
  ]) {
    assert.equal((await send(port, { headers: { host } })).status, 200, host);
  }
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '192.168.1.5', '0.0.0.0']) {
    for (const path of ['/api/tasks', '/health', '/', '/nowhere', '/openapi.json']) {
      assert.deepEqual(await send(port, { path, headers: { host } }), { status: 403, code: 'host_not_allowed' }, host);
    }
  }
});

test('what changes something refuses foreign origins; an absent one is no browser', async (t) => {
  const { port } = await served(t, {
    settings: { allowedOrigins: ['https://ok.example'], publicUrl: 'https://public.example/trail' },
  });
  const post = (origin?: string) =>
    send(port, { method: 'POST', headers: { host: `localhost:${port}`, ...(origin !== undefined && { origin }) } });
  for (const origin of [undefined, `http://localhost:${port}`, 'https://ok.example', 'https://public.example']) {
    assert.notEqual((await post(origin)).status, 403, origin);
  }
  for (const origin of [
    'null',
    'https://evil.example',
    'http://localhost:1',
    `http://localhost:${port}.evil.example`,
    'nonsense',
    '',
  ]) {
    assert.deepEqual(await post(origin), { status: 403, code: 'origin_not_allowed' }, origin);
  }
  assert.equal((await send(port, { headers: { origin: 'https://evil.example' } })).status, 200);
});

test('every answer bears the security headers', async (t) => {
  const { call } = await served(t);
  for (const path of ['/', '/api/tasks', '/nowhere', '/docs']) {
    const { headers } = await call('GET', path);
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'self'/, path);
    assert.doesNotMatch(policy, /script-src[^;]*unsafe|default-src[^;]*unsafe/, path);
    assert.match(policy, /frame-ancestors 'none'/, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    assert.ok(headers.get('x-request-id'), path);
  }
});

test('a page of an allowed origin may read answers and asks first; others may not', async (t) => {
  const { call, json } = await served(t, { settings: { allowedOrigins: ['https://ok.example'], tokens } });
  const ask = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
  const asked = await call('OPTIONS', '/api/tasks', undefined, { origin: 'https://ok.example', ...ask });
  assert.equal(asked.status, 204);
  assert.equal(asked.headers.get('access-control-allow-origin'), 'https://ok.example');
  assert.match(asked.headers.get('access-control-allow-headers') ?? '', /authorization/);
  const read = await json('GET', '/api/tasks', undefined, {
    origin: 'https://ok.example',
    authorization: 'Bearer r-secret',
  });
  assert.deepEqual([read.status, read.headers.get('access-control-allow-origin')], [200, 'https://ok.example']);
  const foreign = await call('OPTIONS', '/api/tasks', undefined, { origin: 'https://evil.example', ...ask });
  assert.notEqual(foreign.status, 204);
  assert.equal(foreign.headers.get('access-control-allow-origin'), null);
});

test('asking a plain route for a WebSocket opens no way around the token', async (t) => {
  const { port, taskWith } = await served(t, { settings: { tokens } });
  await taskWith('t', 3);
  for (const path of ['/api/tasks', '/api/tasks/t/logs', '/metrics', '/nowhere']) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    const frames: unknown[] = [];
    socket.addEventListener('message', ({ data }) => frames.push(data));
    await new Promise((resolve) => socket.addEventListener('close', resolve));
    assert.deepEqual(frames, [], path);
  }
});

test('HEAD answers what GET would, without the body', async (t) => {
  const { call, taskWith } = await served(t);
  await taskWith('t', 3);
  for (const path of [
    '/health',
    '/api/tasks',
    '/api/tasks/t',
    '/api/tasks/t/logs',
    '/api/tasks/t/logs?follow=true',
    '/api/tasks/t/logs/download',
  ]) {
    const answer = await call('HEAD', path);
    assert.deepEqual([answer.status, await answer.text()], [200, ''], path);
  }
});
