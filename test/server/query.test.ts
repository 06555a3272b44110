import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { WireEntry } from '../../src/core/wire.ts';
import { served } from '../support/served.ts';

const QUERY = 'level>=warning (even OR meta.n:3) -"line 10"';
const WANTED = [2, 3, 4, 6, 8];

/** An ended task with the lines `line 1 odd` … `line 10 even`: warnings, but for every fifth. */
async function told(t: TestContext) {
  const server = await served(t);
  await server.intake.createTask({ taskId: 't', kind: 'build', metrics: { costUsd: 2 } });
  const lines = Array.from({ length: 10 }, (_, i) => ({
    message: `line ${i + 1} ${i % 2 ? 'even' : 'odd'}`,
    level: i % 5 === 4 ? 'INFO' : 'WARNING',
    timestamp: `2026-01-24T10:00:${String(i + 10)}.000Z`,
    metadata: { n: i + 1 },
  }));
  await server.intake.append({ taskId: 't', body: JSON.stringify(lines), format: 'json' });
  await server.intake.changeTask('t', { status: 'completed' });
  return server;
}

const params = (q: string, others: Record<string, string> = {}) => new URLSearchParams({ q, ...others }).toString();
const seqsOf = (entries: readonly { readonly seq: number }[]) => entries.map(({ seq }) => seq);

test('lines are read, counted, followed and downloaded by a query', async (t) => {
  const { json, call } = await told(t);
  const { body } = await json('GET', `/api/tasks/t/logs?${params(QUERY)}`);
  assert.deepEqual([seqsOf(body.logs), body.total], [WANTED, WANTED.length]);
  const within = await json(
    'GET',
    `/api/tasks/t/logs?${params(QUERY, { search: 'even', from: '2026-01-24T10:00:12Z' })}`,
  );
  assert.deepEqual(seqsOf(within.body.logs), [4, 6, 8], 'with other filters beside it');
  const histogram = await json('GET', `/api/tasks/t/logs/histogram?${params(QUERY, { buckets: '1' })}`);
  assert.equal(histogram.body.buckets[0].total, WANTED.length);
  const file = await (await call('GET', `/api/tasks/t/logs/download?${params(QUERY, { format: 'jsonl' })}`)).text();
  assert.deepEqual(
    seqsOf(
      file
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ),
    WANTED,
  );
  const path = `/api/tasks/t/logs?${params(QUERY, { follow: 'true' })}`;
  const events = await (await call('GET', path)).text();
  assert.deepEqual(
    [...events.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)),
    WANTED,
  );
  const records = await (await call('GET', path, undefined, { accept: 'application/x-ndjson' })).text();
  const entries = records
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(seqsOf(entries.filter(({ event }) => event === undefined)), WANTED);
});

test('a query may ask about the task of the lines', async (t) => {
  const { json } = await told(t);
  const count = async (q: string) => (await json('GET', `/api/tasks/t/logs?${params(q)}`)).body.total;
  assert.equal(await count('kind:build cost>1 odd'), 5);
  assert.equal(await count('status:failed OR task:other'), 0);
  assert.equal(await count('-status:failed "line 10"'), 1);
});

test('a socket takes a query at its start, and another in place', async (t) => {
  const { url } = await told(t);
  const open = async (path: string) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`);
    t.after(() => socket.terminate());
    const frames: { type: string; entries?: WireEntry[]; error?: { code: string; errors: unknown[] } }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    const closed = once(socket, 'close').then(([code]) => code as number);
    return { socket, frames, closed };
  };
  const stored = await open(`/ws/logs/t?${params(QUERY)}`);
  await stored.closed;
  assert.deepEqual(seqsOf(stored.frames.flatMap(({ entries = [] }) => entries)), WANTED);
  const bad = await open(`/ws/logs/t?${params('level:eror')}`);
  assert.equal(await bad.closed, 4400);
  const [{ error } = {}] = bad.frames;
  assert.equal(error?.code, 'invalid_query');
});

test('a live viewer changes its query in a frame', async (t) => {
  const server = await served(t);
  await server.taskWith('t', 0);
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/logs/t?${params('one')}`);
  t.after(() => socket.terminate());
  const seen: string[] = [];
  const heard = Promise.withResolvers<void>();
  const caughtUp = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data));
    if (frame.type === 'caught_up') caughtUp.resolve();
    if (frame.type === 'entries') seen.push(...frame.entries.map((entry: WireEntry) => entry.message));
    if (frame.type === 'pong') heard.resolve();
  });
  await caughtUp.promise;
  socket.send(JSON.stringify({ type: 'filter', q: 'two -not' }));
  socket.send(JSON.stringify({ type: 'ping' }));
  await heard.promise;
  const lines = ['one', 'two', 'not two', 'two again'].map((message) => ({ message }));
  await server.intake.append({ taskId: 't', body: JSON.stringify(lines), format: 'json' });
  await server.intake.changeTask('t', { status: 'completed' });
  await once(socket, 'close');
  assert.deepEqual(seen, ['two', 'two again']);
});

test('a wrong query is 400 and says the place, at every door', async (t) => {
  const { json } = await told(t);
  const doors = ['/api/tasks/t/logs', '/api/tasks/t/logs/histogram', '/api/tasks/t/logs/download', '/api/tasks'];
  for (const path of [...doors, '/api/tasks/facets', '/tasks/t/logs']) {
    const { status, body } = await json('GET', `${path}?${params('a status:failde')}`);
    assert.deepEqual([status, body.code], [400, 'invalid_query'], path);
    const [fault] = body.errors;
    assert.deepEqual([fault.path, fault.column, fault.length], ['q', 10, 6], path);
    assert.match(body.detail, /^q: column 10: expected a status \(queued, .*, got "failde"$/, path);
  }
  const long = await json('GET', `/api/tasks?${params('x'.repeat(1_001))}`);
  assert.deepEqual([long.body.code, long.body.errors[0].column], ['query_too_long', 1_001]);
  const twice = await json('GET', '/api/tasks/t/logs?q=a&q=b');
  assert.equal(twice.status, 400);
});

test('the list of tasks is asked in the same language, and refuses what is of lines', async (t) => {
  const { json, intake } = await told(t);
  await intake.createTask({
    taskId: 'u',
    title: 'Nightly run',
    status: 'failed',
    tags: ['ci'],
    createdAt: '2026-01-01',
  });
  const ids = async (q: string) => {
    const { status, body } = await json('GET', `/api/tasks?${params(q, { sort: 'title' })}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.tasks.map((task: { task_id: string }) => task.task_id).sort();
  };
  assert.deepEqual(await ids('nightly'), ['u']);
  assert.deepEqual(await ids('"nightly run" status:failed tag:ci'), ['u']);
  assert.deepEqual(await ids('-nightly cost:>1'), ['t']);
  assert.deepEqual(await ids('kind:build OR before:2026-01-02'), ['t', 'u']);
  const facets = await json('GET', `/api/tasks/facets?${params('after:-1m')}`);
  assert.deepEqual(facets.body.status, { completed: 1 });
  const { status, body } = await json('GET', `/api/tasks?${params('nightly level:error')}`);
  assert.deepEqual([status, body.code, body.errors[0].column], [400, 'invalid_query', 9]);
});

test('hostile patterns over the longest lines come to an end, and others read meanwhile', {
  timeout: 120_000,
}, async (t) => {
  const { json, call, intake } = await told(t);
  await intake.createTask({ taskId: 'huge' });
  for (let line = 0; line < 4; line++) {
    await intake.append({ taskId: 'huge', body: JSON.stringify({ message: 'a'.repeat(1_000_000) }), format: 'json' });
  }
  const refused = await json('GET', `/api/logs/search?${params(`/${'.{0,999}'.repeat(100)}z/`)}`);
  assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_query']);
  assert.match(refused.body.detail, /at most 500 pieces/);
  const patterns = ['/.{0,400}[zq]/', '/(.{0,10}){0,20}[zq]/', '/(a|aa|aaa)+b$/', '/(a*)*b/'];
  let isOver = false;
  const hostile = Promise.all(
    patterns.flatMap((q) => [
      call('GET', `/api/tasks/huge/logs?${params(q, { count: 'none' })}`),
      call('GET', `/api/logs/search?${params(q, { budget_ms: '500' })}`),
    ]),
  ).finally(() => {
    isOver = true;
  });
  let reads = 0;
  for (; !isOver; reads++) {
    const { body } = await json('GET', '/api/tasks/t/logs?limit=3');
    assert.equal(body.logs.length, 3);
  }
  for (const answer of await hostile) assert.ok([200, 429].includes(answer.status), `${answer.status}`);
  t.diagnostic(`${reads} reads meanwhile`);
  assert.ok(reads > 0);
});
