import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { WebSocket } from 'ws';
import {
  BATCH_LINES,
  BODY_BYTES,
  FIELDS,
  FRAME_IN_BYTES,
  FRAMES_IN,
  HEADER_BYTES,
  INFLATION_FREE_BYTES,
  JSON_DEPTH,
  LINE_BYTES,
  METADATA_BYTES,
  QUERY_TERMS,
  SEARCH_CHARS,
  SEARCHES,
  STREAMS_OF_CALLER,
  STREAMS_OPEN,
  TASK_JSON_BYTES,
  URL_BYTES,
} from '../../src/core/limits.ts';
import { Streams } from '../../src/server/limits/streams.ts';
import { LIMITS } from '../../src/server/limits/table.ts';
import { Turns } from '../../src/server/turns.ts';
import { type ServedOptions, served } from '../support/served.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const tokens = [
  { role: 'writer', token: 'w-secret', name: 'robot' },
  { role: 'writer', token: 'other-secret', name: 'other' },
] as const;
const as = (token: string) => ({ authorization: `Bearer ${token}` });

type Proof = (t: TestContext, shows: string) => Promise<void>;

/** For each row of the table one proof: just within the limit is taken, just beyond it is refused by its code. */
const PROOFS: Readonly<Record<string, Proof>> = {
  body: async (t, shows) => {
    const { lines } = await taking(t);
    const line = `${JSON.stringify({ message: 'x'.repeat(LINE_BYTES - 100) })}\n`;
    const fits = line.repeat(Math.floor(BODY_BYTES / line.length));
    assert.equal((await lines(fits)).status, 200);
    assert.deepEqual(told(await lines(fits + line)), [413, shows]);
    // What compresses badly: the ratio does not bite first.
    const noise = gzipSync(randomBytes(BODY_BYTES * 0.8).toString('base64'), { level: 1 });
    assert.ok(noise.length < BODY_BYTES);
    assert.deepEqual(told(await lines(noise, { 'content-encoding': 'gzip' })), [413, shows]);
  },
  inflation: async (t, shows) => {
    const { lines } = await taking(t);
    const gzipped = (bytes: number) =>
      lines(gzipSync(`${JSON.stringify({ message: 'x'.repeat(500_000) })}\n`.repeat(Math.ceil(bytes / 500_000))), {
        'content-encoding': 'gzip',
      });
    assert.equal((await gzipped(INFLATION_FREE_BYTES - 1_000_000)).status, 200);
    assert.deepEqual(told(await gzipped(INFLATION_FREE_BYTES + 1_000_000)), [413, shows]);
  },
  'message of a line': async (t, shows) => {
    const { line } = await taking(t);
    assert.equal((await line({ message: 'x'.repeat(LINE_BYTES) })).status, 200);
    assert.deepEqual(told(await line({ message: 'x'.repeat(LINE_BYTES + 1) })), [400, shows]);
  },
  'metadata of a line': async (t, shows) => {
    const { line } = await taking(t);
    const pad = 'x'.repeat(METADATA_BYTES - '{"pad":""}'.length);
    assert.equal((await line({ message: 'x', metadata: { pad } })).status, 200);
    assert.deepEqual(told(await line({ message: 'x', metadata: { pad: `${pad}x` } })), [400, shows]);
  },
  'fields of a line': async (t, shows) => {
    const { line } = await taking(t);
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
    assert.equal((await line({ message: 'x', metadata: fields(FIELDS) })).status, 200);
    assert.deepEqual(told(await line({ message: 'x', metadata: fields(FIELDS + 1) })), [400, shows]);
    assert.deepEqual(told(await line({ message: 'x', ...fields(FIELDS + 1) })), [400, shows]);
  },
  'depth of JSON': async (t, shows) => {
    const { line, json } = await taking(t);
    // The metadata is a level itself.
    const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels - 1)}1${'}'.repeat(levels - 1)}`);
    assert.equal((await line({ message: 'x', metadata: { a: nested(JSON_DEPTH) } })).status, 200);
    assert.deepEqual(told(await line({ message: 'x', metadata: { a: nested(JSON_DEPTH + 1) } })), [400, shows]);
    assert.deepEqual(told(await json('POST', '/api/tasks', { params: nested(JSON_DEPTH + 1) })), [400, shows]);
  },
  'lines of a batch': async (t, shows) => {
    const { lines } = await taking(t);
    const many = '{"message":"x","level":"DEBUG"}\n';
    assert.equal((await lines(many.repeat(BATCH_LINES))).status, 200);
    assert.deepEqual(told(await lines(many.repeat(BATCH_LINES + 1))), [413, shows]);
  },
  'fields of a task': async (t, shows) => {
    const { json } = await taking(t);
    const params = (bytes: number) => ({ params: { pad: 'x'.repeat(bytes - '{"pad":""}'.length) } });
    assert.equal((await json('POST', '/api/tasks', params(TASK_JSON_BYTES))).status, 201);
    assert.deepEqual(told(await json('POST', '/api/tasks', params(TASK_JSON_BYTES + 1))), [400, shows]);
  },
  'lines that wait': async (t, shows) => {
    const { lines, store, intake } = await taking(t);
    const gate = Promise.withResolvers<void>();
    const bothIn = Promise.withResolvers<void>();
    const [toStore, toIntake] = [store.append.bind(store), intake.append.bind(intake)];
    t.mock.method(store, 'append', async (...args: Parameters<typeof toStore>) => {
      await gate.promise;
      return toStore(...args);
    });
    let waiting = 0;
    t.mock.method(intake, 'append', (...args: Parameters<typeof toIntake>) => {
      waiting += 1;
      if (waiting === 2) bothIn.resolve();
      return toIntake(...args);
    });
    const body = `${JSON.stringify({ message: 'x'.repeat(999_000) })}\n`.repeat(10);
    const held = [lines(body), lines(body)];
    await bothIn.promise;
    assert.deepEqual(told(await lines('{"message":"x"}')), [429, shows]);
    gate.resolve();
    for (const { status } of await Promise.all(held)) assert.equal(status, 200);
  },
  headers: async (t, shows) => {
    const { port } = await taking(t);
    const asked = (bytes: number) =>
      raw(port, `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(bytes)}\r\n`);
    assert.match(await asked(HEADER_BYTES - 200), /^HTTP\/1\.1 200 /);
    assert.match(await asked(HEADER_BYTES), new RegExp(`^HTTP/1\\.1 431 [\\s\\S]*"code":"${shows}"`));
  },
  URL: async (t, shows) => {
    const { json } = await taking(t);
    const base = '/api/tasks/t/logs?search=';
    const { status, body } = await json('GET', base + 'x'.repeat(URL_BYTES - base.length));
    assert.deepEqual([status, body.code], [400, 'query_too_long']);
    assert.deepEqual(told(await json('GET', base + 'x'.repeat(URL_BYTES - base.length + 1))), [414, shows]);
    // The longest query still fits when each of its characters is escaped.
    assert.equal(
      (await json('GET', `/api/logs/search?q=${encodeURIComponent('漢'.repeat(SEARCH_CHARS))}`)).status,
      200,
    );
  },
  'time of a request': async (t, shows) => {
    const { port } = await taking(t, { settings: { headersMs: 200, requestMs: 400 } });
    const head =
      'POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n';
    for (const sent of [head, `${head}\r\n{"t`]) {
      const socket = connect(port, '127.0.0.1');
      socket.write(sent);
      assert.match(await text(socket), new RegExp(`^HTTP/1\\.1 408 [\\s\\S]*"code":"${shows}"`));
    }
  },
  'length of a query': async (t, shows) => {
    const { json } = await taking(t);
    for (const path of ['/api/logs/search?q=', '/api/tasks?q=', '/api/tasks/t/logs?search=', '/api/tasks/t/logs?q=']) {
      assert.equal((await json('GET', path + 'x'.repeat(SEARCH_CHARS))).status, 200, path);
      assert.deepEqual(told(await json('GET', path + 'x'.repeat(SEARCH_CHARS + 1))), [400, shows], path);
    }
  },
  'parts of a query': async (t, shows) => {
    const { json } = await taking(t);
    const terms = (count: number) => `/api/tasks?q=${encodeURIComponent(Array(count).fill('x').join(' OR '))}`;
    assert.equal((await json('GET', terms(QUERY_TERMS))).status, 200);
    assert.deepEqual(told(await json('GET', terms(QUERY_TERMS + 1))), [400, shows]);
  },
  'searches at a time': async (_t, shows) => {
    const turns = new Turns();
    const gate = Promise.withResolvers<void>();
    const { signal } = new AbortController();
    const held = Array.from({ length: SEARCHES }, () => turns.take(() => gate.promise, signal));
    await assert.rejects(
      turns.take(() => gate.promise, signal),
      { code: shows },
    );
    gate.resolve();
    await Promise.all(held);
  },
  'open streams': async (t, shows) => {
    const { port, json } = await taking(t, { settings: { tokens } });
    const follow =
      'GET /api/tasks/t/logs?follow=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer w-secret\r\n\r\n';
    const sockets = await Promise.all(Array.from({ length: STREAMS_OF_CALLER }, () => answered(t, port, follow)));
    const refused = await json('GET', '/api/tasks/t/logs?follow=true', undefined, as('w-secret'));
    assert.deepEqual(told(refused), [429, shows]);
    assert.deepEqual(told(await json('GET', '/api/tasks/t/logs/download', undefined, as('w-secret'))), [429, shows]);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/tasks`, { headers: as('w-secret') });
    const [[frame], [code]] = await Promise.all([once(socket, 'message'), once(socket, 'close')]);
    assert.deepEqual([JSON.parse(String(frame)).error.code, code], [shows, 1013]);
    // Another caller has a count of its own, and who goes makes room.
    assert.match(String((await answered(t, port, follow.replace('w-secret', 'other-secret'))).head), / 200 /);
    sockets[0]?.socket.destroy();
    await untilTrue(async () => {
      const { head, socket: again } = await answered(t, port, follow);
      again.destroy();
      return head.includes(' 200 ');
    });
    refusesAll(shows);
  },
  'frame to the server': async (t, shows) => {
    const { url } = await taking(t);
    const fits = await opened(t, url);
    fits.send(JSON.stringify({ type: 'ping', pad: 'x'.repeat(FRAME_IN_BYTES - 50) }));
    await once(fits, 'message');
    const large = await opened(t, url);
    large.send('x'.repeat(FRAME_IN_BYTES + 1));
    const [code] = await once(large, 'close');
    assert.equal(String(code), shows);
  },
  'frames to the server': async (t, shows) => {
    const { url } = await taking(t);
    const socket = await opened(t, url);
    const frames: string[] = [];
    socket.on('message', (data) => frames.push(String(data)));
    for (let n = 0; n < FRAMES_IN + 50; n++) socket.send('{"type":"ping"}');
    const [code] = await once(socket, 'close');
    assert.equal(code, 1013);
    assert.equal(JSON.parse(frames.at(-1) ?? '').error.code, shows);
    assert.equal(frames.length, FRAMES_IN + 1, 'what comes after the refusal is not heard');
  },
  requests: async (t, shows) => {
    const { json } = await taking(t, { settings: { tokens, rateLimit: 20 } });
    const asked = (token: string) => json('GET', '/api/tasks', undefined, as(token));
    for (let n = 1; n <= 20; n++) {
      const { status, headers } = await asked('w-secret');
      assert.deepEqual([status, headers.get('ratelimit-remaining')], [200, String(20 - n)]);
    }
    const refused = await asked('w-secret');
    assert.deepEqual(told(refused), [429, shows]);
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60, `${wait} s`);
    assert.deepEqual(
      ['ratelimit-limit', 'ratelimit-remaining'].map((name) => refused.headers.get(name)),
      ['20', '0'],
    );
    assert.equal((await asked('other-secret')).status, 200, 'another token has a count of its own');
    for (let n = 0; n < 30; n++) assert.equal((await json('GET', '/health')).status, 200);
  },
  'requests with lines': async (t, shows) => {
    const { line } = await taking(t, { settings: { tokens, rateLimit: 2 } });
    for (let n = 0; n < 20; n++) assert.equal((await line({ message: 'x' }, as('w-secret'))).status, 200);
    assert.deepEqual(told(await line({ message: 'x' }, as('w-secret'))), [429, shows]);
  },
  'new tasks': async (t, shows) => {
    const { json } = await taking(t, { settings: { tokens, rateLimit: 30 } });
    for (let n = 0; n < 3; n++) assert.equal((await json('POST', '/api/tasks', {}, as('w-secret'))).status, 201);
    assert.deepEqual(told(await json('POST', '/tasks', {}, as('w-secret'))), [429, shows]);
    assert.equal((await json('GET', '/api/tasks', undefined, as('w-secret'))).status, 200, 'reading goes on');
  },
  deliveries: async (t, shows) => {
    const { json } = await taking(t, { settings: { trustProxy: '127.0.0.1', rateLimit: 30 } });
    const deliver = (path: string, address: string) => json('POST', path, {}, { 'x-forwarded-for': address });
    for (let n = 0; n < 3; n++) assert.equal((await deliver('/webhooks/github', '203.0.113.5')).status, 401);
    assert.deepEqual(told(await deliver('/webhooks/github', '203.0.113.5')), [429, shows]);
    // A stranger keeps neither the provider nor another webhook from being heard.
    assert.equal((await deliver('/webhooks/github', '203.0.113.6')).status, 401);
    assert.equal((await deliver('/webhooks/jira', '203.0.113.5')).status, 401);
  },
  'wrong tokens': async (t, shows) => {
    const settings = { tokens, trustProxy: '127.0.0.1', rateLimit: 5 };
    const { json } = await taking(t, { settings });
    const asked = (token: string, address: string) =>
      json('GET', '/api/tasks', undefined, { ...as(token), 'x-forwarded-for': address });
    for (let n = 0; n < 5; n++) assert.equal((await asked(`guess-${n}`, '2001:db8::1')).status, 401);
    assert.deepEqual(told(await asked('guess', '2001:db8::1')), [429, shows]);
    // The customer has more addresses, and a right guess must not be told from a wrong one.
    assert.deepEqual(told(await asked('w-secret', '2001:db8::2')), [429, shows]);
    assert.equal((await asked('w-secret', '2001:db8:0:1::1')).status, 200);
  },
};

/** Proofs that have a file of their own. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, name: string]>> = {
  'time of a reader': ['security/slow-readers.test.ts', 'a reader that takes nothing is cut, whatever it reads'],
  'time of a search': ['server/search.test.ts', 'a search whose time was up says how far it came, and goes on there'],
};

for (const { limit, value, shows } of LIMITS) {
  test(`limit of ${limit} (${value}): ${shows}`, async (t) => {
    const place = ELSEWHERE[limit];
    if (place) {
      const [file, name] = place;
      assert.ok((await readFile(new URL(`../${file}`, import.meta.url), 'utf8')).includes(`test('${name}'`), name);
      return;
    }
    const proof = PROOFS[limit];
    assert.ok(proof, `no proof of the limit of ${limit}`);
    await proof(t, shows);
  });
}

test('OpenAPI and docs/limits.md have the table of limits', async (t) => {
  const { json } = await served(t);
  assert.deepEqual((await json('GET', '/openapi.json')).body['x-limits'], LIMITS);
  const page = await readFile(new URL('../../docs/limits.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| ([^|]+) \| ([^|]+) \| `([^|]+)` \|$/gm)];
  assert.deepEqual(
    rows.map(([, limit, value, shows]) => ({ limit, value, shows })),
    LIMITS,
  );
});

test('routes that take lines, make tasks or take deliveries count apart, and those of health not at all', async (t) => {
  const { server } = await served(t, { settings: { rateLimit: 100 } });
  const rates = new Map<string, string[]>();
  for (const { method, url, config } of server.routes) {
    const { rate = 'requests' } = config();
    rates.set(String(rate), [...(rates.get(String(rate)) ?? []), `${method} ${url}`].sort());
  }
  const inBoth = (...paths: string[]) => ['/api/tasks', '/tasks'].flatMap((base) => paths.map((path) => base + path));
  const posts = (paths: readonly string[]) => paths.map((path) => `POST ${path}`).sort();
  assert.deepEqual(rates.get('lines'), posts(inBoth('/:task_id/logs', '/:task_id/partial')));
  assert.deepEqual(rates.get('tasks'), posts(inBoth('', '/:task_id/rerun')));
  assert.deepEqual(rates.get('deliveries'), posts(['/webhooks/:provider', '/webhooks/:provider/:webhook_id']));
  assert.deepEqual(rates.get('null'), ['GET /health', 'GET /ready', 'HEAD /health', 'HEAD /ready']);
});

test('a session counts with its token, and those who share a link count apart', async (t) => {
  const settings = { tokens, rateLimit: 4, trustProxy: '127.0.0.1', allowedOrigins: [] };
  const { json, call } = await taking(t, { settings });
  const from = (address: string, rest: Record<string, string> = {}) => ({ 'x-forwarded-for': address, ...rest });
  const entered = await call('POST', '/api/session', { token: 'w-secret' }, from('203.0.113.1'));
  assert.equal(entered.status, 200);
  const [cookie = ''] = (entered.headers.get('set-cookie') ?? '').split(';', 1);
  const asked = (headers: Record<string, string>) => json('GET', '/api/tasks', undefined, headers);
  for (let n = 0; n < 2; n++) {
    assert.equal((await asked(from('203.0.113.1', { cookie }))).status, 200);
    assert.equal((await asked(from('203.0.113.2', as('w-secret')))).status, 200);
  }
  assert.deepEqual(told(await asked(from('203.0.113.3', { cookie }))), [429, 'too_many_requests']);
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const body = { task_id: 't', expires_at: expiresAt };
  const made = await json('POST', '/api/shares', body, from('203.0.113.4', as('other-secret')));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const link = new URL(made.body.url, 'http://localhost').pathname;
  const opened = await call('GET', link, undefined, from('203.0.113.5'));
  const [shares = ''] = (opened.headers.get('set-cookie') ?? '').split(';', 1);
  const reads = (address: string) => json('GET', '/api/tasks/t', undefined, from(address, { cookie: shares }));
  for (let n = 0; n < 4; n++) assert.equal((await reads('203.0.113.6')).status, 200);
  assert.equal((await reads('203.0.113.6')).status, 429);
  assert.equal((await reads('203.0.113.7')).status, 200);
});

test('the same wrong token again and again is one guess: a program whose token was revoked keeps nobody out', async (t) => {
  const settings = { tokens, rateLimit: 30 };
  const { json, call } = await taking(t, { settings });
  const statusOf = async (token: string) => (await json('GET', '/api/tasks', undefined, as(token))).status;
  for (let n = 0; n < 40; n++) assert.equal(await statusOf('revoked'), 401);
  for (let n = 0; n < 20; n++) assert.equal((await call('POST', '/api/session', { token: 'mistyped' })).status, 401);
  assert.equal(await statusOf('w-secret'), 200);
  // With the two before it is as many as may be.
  for (let n = 0; n < 28; n++) assert.equal(await statusOf(`guess-${n}`), 401);
  assert.equal(await statusOf('w-secret'), 429);
});

test('without tokens the user of this machine is not counted, and what it did not ask with a token is', async (t) => {
  const { json } = await served(t, { settings: { rateLimit: 5, trustProxy: '127.0.0.1' } });
  for (let n = 0; n < 20; n++) assert.equal((await json('GET', '/api/tasks')).status, 200);
  const stranger = () => json('GET', '/api/tasks', undefined, { 'x-forwarded-for': '203.0.113.5' });
  for (let n = 0; n < 5; n++) assert.equal((await stranger()).status, 401);
  assert.deepEqual(told(await stranger()), [429, 'too_many_requests']);
  assert.equal((await json('GET', '/health', undefined, { 'x-forwarded-for': '203.0.113.5' })).status, 200);
});

test('the command line with the token of its data directory is not counted on this machine', async (t) => {
  const own = [{ role: 'admin', token: 'own-secret', name: 'local' }] as const;
  const { json } = await served(t, { settings: { rateLimit: 5, tokens: own } });
  for (let n = 0; n < 20; n++) assert.equal((await json('GET', '/api/tasks', undefined, as('own-secret'))).status, 200);
});

/** A server with the task `t`. */
async function taking(t: TestContext, options?: ServedOptions) {
  const server = await served(t, options);
  await server.taskWith('t', 0);
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    server.json('POST', '/api/tasks/t/logs', body, headers);
  return {
    ...server,
    line: (line: object, headers?: Record<string, string>) => post(line, headers),
    lines: (body: string | Buffer, headers?: Record<string, string>) => post(body, { ...NDJSON, ...headers }),
  };
}

function told({ status, body }: { status: number; body: { code: string } }): [number, string] {
  return [status, body.code];
}

/** Send headers by hand, and take all that comes. */
async function raw(port: number, headers: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${headers}Connection: close\r\n\r\n`);
  return text(socket);
}

/** Send a request by hand and wait for the head of its answer; the connection stays open until the test ends. */
async function answered(t: TestContext, port: number, request: string): Promise<{ socket: Socket; head: string }> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(request);
  const [head] = await once(socket, 'data');
  return { socket, head: String(head) };
}

async function opened(t: TestContext, url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/tasks`);
  t.after(() => socket.terminate());
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

/** Asks again until it is so: the server learns of a closed connection when it is told. */
async function untilTrue(look: () => Promise<boolean>): Promise<void> {
  while (!(await look()));
}

/** Of all callers together: so many addresses that none of them is at its own limit. */
function refusesAll(shows: string): void {
  const streams = new Streams();
  const ends = Array.from({ length: STREAMS_OPEN }, () => new EventEmitter());
  const caller = (n: number) => ({ caller: null, ip: `203.0.113.${n % 250}` }) as unknown as FastifyRequest;
  ends.forEach((end, n) => {
    streams.enter(caller(n), end);
  });
  assert.throws(() => streams.enter(caller(0), new EventEmitter()), { code: shows });
  ends[0]?.emit('close');
  streams.enter(caller(0), new EventEmitter());
}
