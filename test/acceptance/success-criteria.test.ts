import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { scratch } from '../support/scratch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Started {
  readonly url: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
  json(method: string, path: string, body?: object): Promise<any>;
  /** Run the demo plugin to its end and answer the task. */
  demo(params?: object): Promise<{ task_id: string; status: string }>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A server as a user starts it: `npm start` in the clone. */
async function npmStart(t: TestContext, dataDir: string): Promise<Started> {
  const env = { ...process.env, TASKTRAIL_PORT: '0', TASKTRAIL_DATA_DIR: dataDir };
  const child = spawn('npm', ['start'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const gone = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    // The group: npm, its shell, and the server.
    process.kill(-Number(child.pid), signal);
    await gone;
  };
  t.after(() => stop('SIGKILL'));
  let url: string | undefined;
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    url = /tasktrail serves (\S+)/.exec(chunk)?.[1];
    if (url) break;
  }
  assert.ok(url, 'the server says where it listens');
  child.stdout.resume();
  const base = url;
  const json: Started['json'] = async (method, path, body) => {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
    return response.json();
  };
  const demo: Started['demo'] = async (params = {}) => {
    const made = await json('POST', '/api/tasks', { plugin: 'demo', params: { steps: 4, delay_ms: 0, ...params } });
    // Ends with the task.
    await (await fetch(`${base}/api/tasks/${made.task_id}/logs?follow=true`)).text();
    return json('GET', `/api/tasks/${made.task_id}`);
  };
  return { url, json, demo, stop };
}

test('SC-001: lines are persisted', async (t) => {
  const dataDir = await scratch(t);
  const first = await npmStart(t, dataDir);
  const task = await first.demo();
  const before = await first.json('GET', `/api/tasks/${task.task_id}/logs?limit=-1`);
  assert.ok(before.logs.length > 4);
  await first.stop('SIGKILL');
  const second = await npmStart(t, dataDir);
  assert.deepEqual(await second.json('GET', `/api/tasks/${task.task_id}/logs?limit=-1`), before);
  await second.stop();
});

test('SC-002: lines are retrievable by the API', async (t) => {
  const server = await npmStart(t, await scratch(t));
  const { task_id: id } = await server.demo();
  const page = await server.json('GET', `/api/tasks/${id}/logs?offset=1&limit=2`);
  assert.deepEqual([page.offset, page.limit, page.logs.length, page.has_more], [1, 2, 2, true]);
  const stats = await server.json('GET', `/api/tasks/${id}/logs/stats`);
  assert.equal(stats.total, page.total);
  const found = await server.json('GET', `/api/tasks/${id}/logs?search=${encodeURIComponent(page.logs[0].message)}`);
  assert.ok(found.logs.some(({ seq }: { seq: number }) => seq === page.logs[0].seq));
  await server.stop();
});

test('SC-003: lines are attributed to their sources', async (t) => {
  const server = await npmStart(t, await scratch(t));
  const { task_id: id } = await server.demo();
  const sources: string[] = await server.json('GET', `/api/tasks/${id}/logs/sources`);
  assert.ok(sources.includes('system') && sources.includes('plugin') && sources.length > 2, sources.join());
  for (const source of sources) {
    const { logs } = await server.json('GET', `/api/tasks/${id}/logs?source=${source}`);
    assert.ok(logs.length > 0 && logs.every((line: { source: string }) => line.source === source));
  }
  await server.stop();
});

test('SC-004: lines are filtered live by WebSocket', async (t) => {
  const server = await npmStart(t, await scratch(t));
  const { task_id: id } = await server.json('POST', '/api/tasks', {
    plugin: 'demo',
    params: { steps: 8, delay_ms: 20 },
  });
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/logs/${id}?source=plugin`);
  const sources = new Set<string>();
  for await (const [data] of framesOf(socket)) {
    const frame = JSON.parse(String(data)) as { type: string; entries?: { source: string }[] };
    for (const { source } of frame.entries ?? []) sources.add(source);
    if (frame.type === 'end') break;
  }
  socket.close();
  assert.deepEqual([...sources], ['plugin']);
  await server.stop();
});

test('SC-005: levels are apart and configurable', async (t) => {
  const server = await npmStart(t, await scratch(t));
  const levelsOf = async (): Promise<string[]> => {
    const { task_id: id } = await server.demo();
    const { by_level: byLevel } = await server.json('GET', `/api/tasks/${id}/logs/stats`);
    return Object.keys(byLevel).filter((level) => byLevel[level] > 0);
  };
  const first = await server.json('GET', '/api/settings/logging');
  assert.deepEqual(first, { level: 'INFO', task_log_level: 'INFO', enable_belief_state: true });
  assert.ok(!(await levelsOf()).includes('DEBUG'));
  await server.json('PATCH', '/api/settings/logging', { task_log_level: 'DEBUG' });
  assert.ok((await levelsOf()).includes('DEBUG'));
  const changed = await server.json('PATCH', '/api/settings/logging', { task_log_level: 'ERROR', level: 'WARNING' });
  assert.deepEqual([changed.level, changed.task_log_level], ['WARNING', 'ERROR']);
  assert.ok(!(await levelsOf()).includes('INFO') || (await onlyProgress(server)));
  await server.stop();
});

/** Whether what is kept below ERROR is no line of type `log`: those alone have a level gate. */
async function onlyProgress(server: Started): Promise<boolean> {
  const { task_id: id } = await server.demo();
  const { logs } = await server.json('GET', `/api/tasks/${id}/logs?limit=-1`);
  return logs.every((line: { type: string; level: string }) => line.type !== 'log' || line.level === 'ERROR');
}

async function* framesOf(socket: WebSocket): AsyncGenerator<[unknown]> {
  const frames: unknown[] = [];
  let poke = (): void => {};
  socket.on('message', (data) => {
    frames.push(data);
    poke();
  });
  await once(socket, 'open');
  for (;;) {
    while (frames.length > 0) yield [frames.shift()];
    await new Promise<void>((resolve) => {
      poke = resolve;
    });
  }
}
