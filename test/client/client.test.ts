import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connectTrail } from '../../src/client/client.ts';
import type { LogEntry } from '../../src/core/entry.ts';
import type { Trail } from '../../src/core/trail.ts';
import { scratch } from '../support/scratch.ts';
import { startServer } from './server.ts';

async function connected(t: TestContext): Promise<Trail> {
  const { url } = await startServer(t);
  const trail = await connectTrail({ url });
  t.after(() => trail.close());
  return trail;
}

test('a task reported to a server reads back as it was told', async (t) => {
  const trail = await connected(t);
  const task = await trail.task({ title: 'demo', kind: 'test', params: { camelCase: 1 }, input: { message: 'go' } });
  task.logger.info('one', { a: 1 });
  task.logger.withSource('git').error('two');
  task.logger.progress(150, 'three');
  const ended = await task.complete({ fine: true }, { exitCode: 0, metrics: { costUsd: 0.5 } });
  assert.equal(ended.status, 'completed');
  assert.deepEqual(ended.result, { fine: true });
  assert.equal(ended.metrics.costUsd, 0.5);
  assert.deepEqual(ended.params, { camelCase: 1 });
  const { logs, total } = await trail.logs(task.id);
  assert.equal(total, 3);
  assert.deepEqual(
    logs.map(({ seq, level, source, type, message, metadata }) => ({ seq, level, source, type, message, metadata })),
    [
      { seq: 1, level: 'INFO', source: 'system', type: 'log', message: 'one', metadata: { a: 1 } },
      { seq: 2, level: 'ERROR', source: 'git', type: 'log', message: 'two', metadata: null },
      { seq: 3, level: 'INFO', source: 'system', type: 'progress', message: 'three', metadata: { progress: 100 } },
    ],
  );
});

test('every reading of the embedded trail is answered the same over HTTP', async (t) => {
  const server = await startServer(t);
  const client = await connectTrail({ url: server.url });
  t.after(() => client.close());
  const { taskId } = await client.create({ taskId: 'task-1737737400.123', title: 'both', tags: ['a'] });
  await client.append(taskId, [
    { message: 'one', timestamp: '2026-01-24T10:00:00.000Z', source: 'git', stream: 'stdout' },
    { message: 'two', timestamp: '2026-01-24T10:00:09.000Z', level: 'error' },
  ]);
  const { trail } = server;
  assert.deepEqual(await client.get(taskId), await trail.get(taskId));
  assert.deepEqual(
    await client.tasks({ tag: ['a'], sort: 'created_at' }),
    await trail.tasks({ tag: ['a'], sort: 'created_at' }),
  );
  assert.deepEqual(await client.logs(taskId, { levels: ['ERROR'] }), await trail.logs(taskId, { levels: ['ERROR'] }));
  assert.deepEqual(await client.logs(taskId, { sources: [] }), await trail.logs(taskId, { sources: [] }));
  assert.deepEqual(await client.stats(taskId), await trail.stats(taskId));
  assert.deepEqual(await client.sources(taskId), ['git', 'system']);
  for (const options of [{ q: 'o', limit: 1, context: 1 }, { q: 'o', levels: ['ERROR'] as const }, { tasks: [] }]) {
    const [here, there] = [await trail.search(options), await client.search(options)];
    // The moment that relative times count from is each one's own.
    assert.deepEqual({ ...there, nextCursor: null }, { ...here, nextCursor: null });
    assert.equal(there.nextCursor === null, here.nextCursor === null);
  }
  assert.deepEqual(await client.histogram(taskId, { buckets: 3 }), await trail.histogram(taskId, { buckets: 3 }));
});

test('a task is changed, ended, reopened and deleted', async (t) => {
  const trail = await connected(t);
  const { taskId } = await trail.create({ title: 'first' });
  assert.equal((await trail.change(taskId, { title: 'second', tags: ['x'] })).title, 'second');
  assert.equal((await trail.change(taskId, { status: 'paused' })).status, 'paused');
  assert.equal((await trail.fail(taskId, 'broken', { exitCode: 3 })).error, 'broken');
  const reopened = await trail.change(taskId, { status: 'executing', title: 'third' });
  assert.deepEqual([reopened.status, reopened.title, reopened.error], ['executing', 'third', null]);
  const changed = await trail.change(taskId, { status: 'failed', error: 'again', exitCode: 4 });
  assert.deepEqual([changed.error, changed.exitCode], ['again', 4]);
  await trail.delete(taskId);
  await assert.rejects(trail.get(taskId), { code: 'task_deleted' });
});

test('a refusal comes as the error that the server names', async (t) => {
  const trail = await connected(t);
  await trail.create({ taskId: 'task-1' });
  await assert.rejects(trail.create({ taskId: 'task-1' }), { name: 'TrailError', code: 'task_exists' });
  await assert.rejects(trail.get('task-2'), { code: 'task_not_found' });
  await assert.rejects(trail.get('../etc'), { code: 'invalid_task_id' });
  await assert.rejects(trail.append('task-1', { message: 'x', level: 'loud' }), { code: 'invalid_lines' });
  await assert.rejects(trail.logs('task-1', { limit: 10_001 }), { code: 'invalid_parameter' });
  await trail.complete('task-1');
  await assert.rejects(trail.fail('task-1', 'late'), { code: 'invalid_transition' });
});

test('the same key stores a batch once', async (t) => {
  const trail = await connected(t);
  const { taskId } = await trail.create({});
  const first = await trail.append(taskId, [{ message: 'one' }], { key: 'k' });
  assert.deepEqual(await trail.append(taskId, [{ message: 'one' }], { key: 'k' }), first);
  await assert.rejects(trail.append(taskId, [{ message: 'two' }], { key: 'k' }), { code: 'idempotency_mismatch' });
  assert.equal((await trail.logs(taskId)).total, 1);
});

test('where no server is, connecting says so', async () => {
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as { port: number };
  closed.close();
  await assert.rejects(connectTrail({ url: `http://127.0.0.1:${port}` }), {
    code: 'server_unreachable',
    message: /ECONNREFUSED/,
  });
  await assert.rejects(connectTrail({ url: 'nonsense' }), { code: 'invalid_setting' });
});

test('something else that answers at the port is not taken for a server', async () => {
  const fetch = async (): Promise<Response> => Response.json({ hello: 'world' });
  await assert.rejects(connectTrail({ url: 'http://127.0.0.1:1', fetch }), { code: 'server_unreachable' });
});

test('a token opens what is closed without it, for calls and for following', async (t) => {
  const tokens = [{ role: 'writer', token: 'w+r/i.t=e' }] as const;
  const { url } = await startServer(t, { tokens });
  await assert.rejects((await connectTrail({ url })).tasks(), { code: 'unauthorized' });
  const stranger = await connectTrail({ url, token: 'other' });
  await assert.rejects(Array.fromAsync(stranger.follow('task-1')), { code: 'unauthorized' });
  const trail = await connectTrail({ url, token: 'w+r/i.t=e' });
  const task = await trail.task();
  task.logger.info('one');
  await task.complete();
  assert.deepEqual(await messages(trail.follow(task.id)), ['one']);
});

test('a follower sees stored lines, then live ones, and ends with the task', async (t) => {
  const trail = await connected(t);
  const task = await trail.task();
  task.logger.info('one');
  await task.logger.flush();
  const seen = messages(trail.follow(task.id));
  task.logger.info('two');
  task.logger.error('three');
  await task.complete();
  assert.deepEqual(await seen, ['one', 'two', 'three']);
});

test('a follower starts after a line, with the last lines, or with those that a filter lets pass', async (t) => {
  const trail = await connected(t);
  const { taskId } = await trail.create({});
  await trail.append(
    taskId,
    Array.from({ length: 10 }, (_, index) => ({ message: `${index + 1}`, source: index % 2 ? 'even' : 'odd' })),
  );
  await trail.complete(taskId);
  assert.deepEqual(await messages(trail.follow(taskId, { after: 8 })), ['9', '10']);
  assert.deepEqual(await messages(trail.follow(taskId, { tail: 3 })), ['8', '9', '10']);
  assert.deepEqual(await messages(trail.follow(taskId, { sources: ['even'], tail: 2 })), ['8', '10']);
});

test('following an unknown task throws, and a signal ends it', async (t) => {
  const trail = await connected(t);
  await assert.rejects(messages(trail.follow('task-none')), { code: 'task_not_found' });
  const { taskId } = await trail.create({});
  await trail.append(taskId, { message: 'one' });
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const { message } of trail.follow(taskId, { signal: stop.signal })) {
    seen.push(message);
    stop.abort();
  }
  assert.deepEqual(seen, ['one']);
});

test('a follower outlives its server: the next one goes on where the first stopped, nothing twice', async (t) => {
  const dataDir = await scratch(t);
  const first = await startServer(t, { dataDir });
  const trail = await connectTrail({ url: first.url });
  t.after(() => trail.close());
  const { taskId } = await trail.create({});
  await trail.append(taskId, [{ message: '1' }, { message: '2' }]);
  const lines = trail.follow(taskId)[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value?.message, '1');
  assert.equal((await lines.next()).value?.message, '2');
  const third = lines.next();
  await first.close();
  const second = await startServer(t, { dataDir, port: first.port });
  await second.trail.append(taskId, [{ message: '3' }, { message: '4' }]);
  await second.trail.complete(taskId);
  const rest: LogEntry[] = [];
  for (let step = await third; !step.done; step = await lines.next()) rest.push(step.value);
  assert.deepEqual(
    rest.map(({ seq, message }) => [seq, message]),
    [
      [3, '3'],
      [4, '4'],
    ],
  );
});

test('lines logged while the server is away are delivered when it is back, in order and once', async (t) => {
  const dataDir = await scratch(t);
  const first = await startServer(t, { dataDir });
  const trail = await connectTrail({ url: first.url });
  t.after(() => trail.close());
  const task = await trail.task();
  task.logger.info('1');
  await task.logger.flush();
  await first.close();
  for (let line = 2; line <= 50; line++) task.logger.info(String(line));
  await assert.rejects(task.logger.flush(), { code: 'server_unreachable' });
  await startServer(t, { dataDir, port: first.port });
  await task.logger.flush();
  const { logs } = await trail.logs(task.id);
  assert.deepEqual(
    logs.map(({ message }) => message),
    Array.from({ length: 50 }, (_, index) => String(index + 1)),
  );
});

test('a reader that is slower than the server holds a bounded part, and still gets every line once', async (t) => {
  const { url } = await startServer(t);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let connections = 0;
  class Watched extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      connections += 1;
      this.addEventListener('close', () => resolve());
    }
  }
  const trail = await connectTrail({ url, WebSocket: Watched });
  t.after(() => trail.close());
  const { taskId } = await trail.create({});
  const padding = 'x'.repeat(1_000);
  for (let batch = 0; batch < 12; batch++) {
    await trail.append(
      taskId,
      Array.from({ length: 1_000 }, (_, index) => ({ message: `${batch * 1_000 + index} ${padding}` })),
    );
  }
  await trail.complete(taskId);
  let next = 0;
  for await (const { message } of trail.follow(taskId)) {
    assert.equal(message, `${next} ${padding}`);
    if (next === 0) await closed;
    next += 1;
  }
  assert.equal(next, 12_000);
  assert.ok(connections > 1, 'it was cut off and came back');
});

test('a running task says every 15 seconds that it lives, until it has ended', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { url } = await startServer(t);
  const beats: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    if (String(input).endsWith('/heartbeat')) beats.push(`${response.status}`);
    return response;
  };
  const trail = await connectTrail({ url, fetch });
  t.after(() => trail.close());
  const task = await trail.task();
  t.mock.timers.tick(30_000);
  while (beats.length < 2) await trail.get(task.id);
  await task.complete();
  t.mock.timers.tick(60_000);
  await trail.get(task.id);
  assert.deepEqual(beats, ['200', '200']);
});

test('closing delivers what waits, and may be done twice', async (t) => {
  const server = await startServer(t);
  const trail = await connectTrail({ url: server.url });
  const task = await trail.task();
  task.logger.info('last words');
  await trail.close();
  await trail.close();
  assert.equal((await server.trail.logs(task.id)).logs[0]?.message, 'last words');
});

function messages(lines: AsyncIterable<LogEntry>): Promise<readonly string[]> {
  return Array.fromAsync(lines, ({ message }) => message);
}
