import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { WireEntry } from '../../src/core/wire.ts';
import { served } from '../support/served.ts';

interface SentEvent {
  readonly id?: string;
  readonly event?: string;
  readonly retry?: string;
  readonly data: WireEntry & { readonly status: string; readonly task: { readonly status: string } };
}

/** The events of one connection, as an EventSource would read them. */
async function* events(response: Response): AsyncGenerator<SentEvent> {
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = text
        .slice(0, end)
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);
      text = text.slice(end + 2);
      const { data = 'null', ...rest } = Object.fromEntries(fields);
      yield { ...rest, data: JSON.parse(data) };
    }
  }
  assert.equal(text, '', 'every event is whole');
}

const lines = (all: readonly SentEvent[]) => all.filter(({ id }) => id !== undefined);

async function following(t: TestContext) {
  const server = await served(t);
  const gone = new AbortController();
  t.after(() => gone.abort());
  const follow = async (path: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, { headers, signal: gone.signal });
  const append = (...messages: string[]) =>
    server.intake.append({
      taskId: 't',
      body: JSON.stringify(messages.map((message) => ({ message }))),
      format: 'json',
    });
  return { ...server, follow, append, gone };
}

test('stored lines come first, then live ones, then the end', async (t) => {
  const { follow, append, taskWith, intake } = await following(t);
  await taskWith('t', 2);
  const response = await follow('/api/tasks/t/logs?follow=true');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(response.headers.get('x-accel-buffering'), 'no');
  assert.match(response.headers.get('cache-control') ?? '', /no-cache/);
  const seen: SentEvent[] = [];
  for await (const event of events(response)) {
    seen.push(event);
    if (event.id === '2') await append('live');
    if (event.id === '3') await intake.changeTask('t', { status: 'completed' });
  }
  assert.deepEqual(
    lines(seen).map(({ id, event, data }) => [id, event, data.seq, data.message]),
    [
      ['1', undefined, 1, 'line 1'],
      ['2', undefined, 2, 'line 2'],
      ['3', undefined, 3, 'live'],
    ],
  );
  const control = seen.filter(({ id }) => id === undefined).map(({ event, data }) => `${event} ${data.status}`);
  assert.deepEqual([...new Set(control)], ['status executing', 'status completed', 'end completed']);
  assert.equal(seen.at(-1)?.event, 'end');
});

test('Last-Event-ID, after and tail say where to start', async (t) => {
  const { follow, taskWith, json } = await following(t);
  await taskWith('t', 10);
  await json('POST', '/api/tasks/t/complete');
  const from = async (query: string, headers = {}) =>
    lines(await Array.fromAsync(events(await follow(`/api/tasks/t/logs?follow=true${query}`, headers)))).map(
      ({ id }) => id,
    );
  assert.deepEqual(await from('&after=8'), ['9', '10']);
  assert.deepEqual(await from('&tail=3'), ['8', '9', '10']);
  assert.deepEqual(await from('&after=2', { 'last-event-id': '9' }), ['10']);
  assert.deepEqual(await from('&search=line%201'), ['1', '10']);
  assert.deepEqual(await from('', { 'last-event-id': '' }), ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
});

test('asked again at or past the end of an ended task: 204, so that an EventSource stops', async (t) => {
  const { follow, taskWith, json } = await following(t);
  await taskWith('t', 3);
  await json('POST', '/api/tasks/t/complete');
  const status = async (query: string, headers = {}) =>
    (await follow(`/api/tasks/t/logs?follow=true${query}`, headers)).status;
  assert.equal(await status('&after=3'), 204);
  assert.equal(await status('&after=99'), 204);
  assert.equal(await status('', { 'last-event-id': '3' }), 204);
  assert.equal(await status('&search=line%202', { 'last-event-id': '2' }), 204);
  assert.equal(await status('&after=3', { accept: 'application/x-ndjson' }), 204);
  assert.equal(await status(''), 200);
  assert.equal(await status('', { 'last-event-id': '2' }), 200);
});

test('an end that no id leads to asks an EventSource to stay away', async (t) => {
  const { follow, taskWith, json } = await following(t);
  await taskWith('t', 3);
  await json('POST', '/api/tasks/t/complete');
  const silent = await (await follow('/api/tasks/t/logs?follow=true&search=nothing')).text();
  assert.match(silent, /event: end\n.*\n\nretry: 86400000\n\n$/);
  const normal = await (await follow('/api/tasks/t/logs?follow=true')).text();
  assert.doesNotMatch(normal, /retry/);
});

test('NDJSON gives entries as they are and control records with an event', async (t) => {
  const { follow, taskWith, json } = await following(t);
  await taskWith('t', 2, () => ({ stream: 'stdout' }));
  await json('POST', '/api/tasks/t/fail', { error: 'x' });
  const response = await follow('/tasks/t/logs?follow=true', { accept: 'application/x-ndjson' });
  assert.match(response.headers.get('content-type') ?? '', /^application\/x-ndjson/);
  const records = (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map((record) => record.event ?? record.message),
    ['status', '[stdout] line 1', '[stdout] line 2', 'end'],
  );
  assert.deepEqual(records.at(-1), { event: 'end', last_seq: 2, status: 'failed' });
});

test('a heartbeat says how far was looked while nothing matched', async (t) => {
  const { url, taskWith } = await served(t, { settings: { heartbeatMs: 20 } });
  await taskWith('t', 5);
  const gone = new AbortController();
  const response = await fetch(`${url}/api/tasks/t/logs?follow=true&search=nothing`, { signal: gone.signal });
  for await (const event of events(response)) {
    if (event.event !== 'heartbeat') continue;
    assert.equal(event.id, undefined);
    assert.deepEqual(event.data, { last_seq: 5 });
    break;
  }
  gone.abort();
});

test('a stream is never compressed', async (t) => {
  const { follow, taskWith, json } = await following(t);
  await taskWith('t', 500);
  await json('POST', '/api/tasks/t/complete');
  const response = await follow('/api/tasks/t/logs?follow=true', { 'accept-encoding': 'gzip, zstd' });
  assert.equal(response.headers.get('content-encoding'), null);
  assert.equal(lines(await Array.fromAsync(events(response))).length, 500);
});

test('a message with line breaks of every kind stays one event', async (t) => {
  const { follow, append, taskWith, json } = await following(t);
  await taskWith('t', 0);
  const message = 'a\nb\r\nc\rd\u2028e\n\nid: 99\ndata: forged';
  await append(message);
  await json('POST', '/api/tasks/t/complete');
  const seen = lines(await Array.fromAsync(events(await follow('/api/tasks/t/logs?follow=true'))));
  assert.deepEqual(
    seen.map(({ id, data }) => [id, data.message]),
    [['1', message]],
  );
});

test('what makes no sense for a stream is refused', async (t) => {
  const { json, taskWith } = await following(t);
  await taskWith('t', 1);
  for (const [query, path] of [
    ['before=5', 'before'],
    ['order=desc', 'order'],
    ['offset=3', 'offset'],
    ['tail=-1', 'tail'],
  ]) {
    const { status, body } = await json('GET', `/api/tasks/t/logs?follow=true&${query}`);
    assert.deepEqual([status, body.errors[0].path], [400, path]);
  }
  const wrong = await json('GET', '/api/tasks/t/logs?follow=true', undefined, { 'last-event-id': 'x' });
  assert.deepEqual([wrong.status, wrong.body.errors[0].path], [400, 'Last-Event-ID']);
});

test('a reader who takes nothing holds one chunk, however much there is', async (t) => {
  const { port, taskWith, store } = await served(t);
  await taskWith('t', 100_000, () => ({ metadata: { pad: 'x'.repeat(400) } }));
  let reads = 0;
  const read = store.read.bind(store);
  const idle = Promise.withResolvers<void>();
  const all = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  t.mock.method(store, 'read', (...args: Parameters<typeof read>) => {
    reads += 1;
    if (reads === 100) all.resolve();
    clearTimeout(timer);
    timer = setTimeout(() => idle.resolve(), 300);
    return read(...args);
  });
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /api/tasks/t/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  await idle.promise;
  assert.ok(reads < 60, `${reads} of 100 pages were read for a reader who takes nothing`);
  // It goes on when the reader does.
  socket.resume();
  await all.promise;
  socket.destroy();
});

test('closing the server ends its streams without an end event', async (t) => {
  const { follow, taskWith, server } = await following(t);
  await taskWith('t', 1);
  const response = await follow('/api/tasks/t/logs?follow=true');
  const seen: (string | undefined)[] = [];
  for await (const { id, event } of events(response)) {
    seen.push(event ?? id);
    if (id === '1') void server.close();
  }
  assert.deepEqual(seen, ['status', '1']);
});

test('a task deleted under its readers leaves none of them waiting, and asking again says why', async (t) => {
  const { follow, taskWith, json, live } = await following(t);
  await taskWith('t', 1);
  const response = await follow('/api/tasks/t/logs?follow=true');
  const all = events(response);
  for await (const { id } of all) if (id === '1') break;
  assert.equal((await json('DELETE', '/api/tasks/t?force=true')).status, 204);
  while (live.watched) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await follow('/api/tasks/t/logs?follow=true&after=1')).status, 410);
});

test('a reader that is cut again and again, and resumes each time, sees every line once', async (t) => {
  const { url, append, taskWith, intake } = await following(t);
  await taskWith('t', 0);
  const total = 3_000;
  const writing = (async () => {
    for (let n = 0; n < total; n += 100) {
      await append(...Array.from({ length: 100 }, (_, i) => `line ${n + i + 1}`));
    }
    await intake.changeTask('t', { status: 'completed' });
  })();
  const seen: number[] = [];
  let cuts = 0;
  for (let ended = false; !ended; ) {
    const gone = new AbortController();
    const headers: Record<string, string> = seen.length > 0 ? { 'last-event-id': String(seen.at(-1)) } : {};
    const response = await fetch(`${url}/api/tasks/t/logs?follow=true`, { headers, signal: gone.signal });
    if (response.status === 204) break;
    let left = 1 + ((cuts * 37) % 211);
    try {
      for await (const { id, event } of events(response)) {
        if (event === 'end') ended = true;
        if (id === undefined) continue;
        seen.push(Number(id));
        left -= 1;
        if (left === 0) break;
      }
    } finally {
      gone.abort();
    }
    cuts += 1;
  }
  await writing;
  assert.ok(cuts > 10);
  assert.deepEqual(
    seen,
    Array.from({ length: total }, (_, i) => i + 1),
  );
});
