import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { call } from '../support/api.ts';
import { scratch } from '../support/scratch.ts';
import { type Server, startServer } from '../support/server.ts';

interface Entry {
  readonly source: string;
  readonly level: string;
  readonly message: string;
}

interface Page {
  readonly logs: readonly Entry[];
  readonly total: number;
}

const LINES = [
  { source: 'system', level: 'INFO', message: 'Task started' },
  { source: 'plugin', level: 'INFO', message: 'Reading dashboards' },
  { source: 'git', level: 'WARNING', message: 'Branch is behind' },
  { source: 'plugin', level: 'ERROR', message: 'Dashboard 7 is broken' },
];

test('lines are retrieved through GET /api/tasks/{task_id}/logs after the backend was restarted', async (t) => {
  const dataDir = await scratch(t);
  const first = await startServer(t, { dataDir });
  await writeLines(first);
  assert.equal(await first.stop(), 0);
  const second = await startServer(t, { dataDir });
  const { logs } = await call<Page>(second, '/api/tasks/history/logs');
  assert.deepEqual(
    logs.map(({ source, level, message }) => ({ source, level, message })),
    LINES,
  );
});

test('a WebSocket with ?source=plugin receives only the lines of plugins', async (t) => {
  const server = await startServer(t);
  await writeLines(server);
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/logs/history?source=plugin`);
  t.after(() => socket.terminate());
  const seen: Entry[] = [];
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as { type: string; entries?: Entry[] };
    if (frame.type === 'entries') seen.push(...(frame.entries ?? []));
  });
  const closed = once(socket, 'close');
  await once(socket, 'open');
  await call(server, '/api/tasks/history/logs', [
    { source: 'git', message: 'Pushing' },
    { source: 'plugin', message: 'Done' },
  ]);
  await call(server, '/api/tasks/history/complete', {});
  await closed;
  assert.deepEqual(
    seen.map((entry) => entry.message),
    ['Reading dashboards', 'Dashboard 7 is broken', 'Done'],
  );
});

test('the log endpoint takes level, source, search, offset and limit', async (t) => {
  const server = await startServer(t);
  await writeLines(server);
  const messages = async (query: string) =>
    (await call<Page>(server, `/api/tasks/history/logs?${query}`)).logs.map((entry) => entry.message);
  assert.deepEqual(await messages('level=ERROR'), ['Dashboard 7 is broken']);
  assert.deepEqual(await messages('source=git'), ['Branch is behind']);
  assert.deepEqual(await messages('search=dashboard'), ['Reading dashboards', 'Dashboard 7 is broken']);
  assert.deepEqual(await messages('offset=1&limit=2'), ['Reading dashboards', 'Branch is behind']);
});

test('lines below the task level are counted and not kept', async (t) => {
  const server = await startServer(t, { env: { TASKTRAIL_TASK_LOG_LEVEL: 'WARNING' } });
  await call(server, '/api/tasks', { task_id: 'quiet' });
  const lines = ['DEBUG', 'INFO', 'WARNING', 'ERROR'].map((level) => ({ level, message: level }));
  const receipt = await call<{ accepted: number; filtered: number }>(server, '/api/tasks/quiet/logs', lines);
  assert.equal(receipt.filtered, 2);
  const { logs } = await call<Page>(server, '/api/tasks/quiet/logs');
  assert.deepEqual(
    logs.map((entry) => entry.message),
    ['WARNING', 'ERROR'],
  );
});

test('below /tasks, a line of a process names its stream', async (t) => {
  const server = await startServer(t);
  await call(server, '/api/tasks', { task_id: 'process' });
  await call(server, '/api/tasks/process/logs', [
    { message: 'Running tests...', stream: 'stdout' },
    { message: 'Warning: Deprecated API usage', stream: 'stderr' },
    { message: 'not of a process' },
  ]);
  const messages = async (path: string) => (await call<Page>(server, path)).logs.map((entry) => entry.message);
  assert.deepEqual(await messages('/tasks/process/logs'), [
    '[stdout] Running tests...',
    '[stderr] Warning: Deprecated API usage',
    'not of a process',
  ]);
  assert.deepEqual(await messages('/api/tasks/process/logs'), [
    'Running tests...',
    'Warning: Deprecated API usage',
    'not of a process',
  ]);
});

test('follow=true streams what is there and what comes, until the task ends', async (t) => {
  const server = await startServer(t);
  await writeLines(server);
  const response = await fetch(`${server.url}/tasks/history/logs?follow=true`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  await call(server, '/api/tasks/history/logs', { message: 'the last line' });
  await call(server, '/api/tasks/history/complete', {});
  const text = await response.text();
  assert.deepEqual(
    Array.from(text.matchAll(/^id: ?(\d+)$/gm), (match) => Number(match[1])),
    [1, 2, 3, 4, 5],
  );
  assert.match(text, /the last line/);
});

test('stats count by level and source, and sources are unique', async (t) => {
  const server = await startServer(t);
  await writeLines(server);
  const stats = await call<{ total: number; by_level: Record<string, number>; by_source: Record<string, number> }>(
    server,
    '/api/tasks/history/logs/stats',
  );
  assert.equal(stats.total, LINES.length);
  const { INFO, WARNING, ERROR } = stats.by_level;
  assert.deepEqual({ INFO, WARNING, ERROR }, { INFO: 2, WARNING: 1, ERROR: 1 });
  assert.deepEqual({ ...stats.by_source }, { git: 1, plugin: 2, system: 1 });
  assert.deepEqual(await call(server, '/api/tasks/history/logs/sources'), ['git', 'plugin', 'system']);
});

test('tasks are listed by status, with and without the slash at the end', async (t) => {
  const server = await startServer(t);
  await call(server, '/api/tasks', { task_id: 'one', status: 'discovering' });
  await call(server, '/api/tasks', { task_id: 'two', status: 'queued' });
  for (const path of ['/tasks/?status=discovering&limit=50', '/tasks?status=discovering']) {
    const { tasks } = await call<{ tasks: { task_id: string }[] }>(server, path);
    assert.deepEqual(
      tasks.map((task) => task.task_id),
      ['one'],
    );
  }
  assert.equal((await call<{ task_id: string }>(server, '/tasks/two')).task_id, 'two');
});

for (const path of ['/docs', '/redoc']) {
  test(`the API is explained at ${path}`, async (t) => {
    const server = await startServer(t);
    const response = await fetch(`${server.url}${path}`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  });
}

test('/health says healthy', async (t) => {
  const server = await startServer(t);
  const health = await call<{ status: string; service: string }>(server, '/health');
  assert.deepEqual({ status: health.status, service: health.service }, { status: 'healthy', service: 'tasktrail' });
});

async function writeLines(server: Server): Promise<void> {
  await call(server, '/api/tasks', { task_id: 'history' });
  await call(server, '/api/tasks/history/logs', LINES);
}
