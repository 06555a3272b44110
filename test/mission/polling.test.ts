import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { getTaskLogs } from '../../src/client/index.ts';
import { mirrored } from '../outlet/redis/support.ts';
import { call } from '../support/api.ts';
import { noRedis } from '../support/redis.ts';
import { type Server, startServer } from '../support/server.ts';

const POLL_LOGS = new URL('../fixtures/mission/poll-logs.js', import.meta.url);

test('the polling example of the mission shows every line once and stops when the task completes', async (t) => {
  const server = await startServer(t);
  const task = 'task-1737737400.123';
  await call(server, '/api/tasks', { task_id: task, source: 'webhook' });
  const page = await openPage(asking(server), task);
  assert.equal(page.everyMs, 2000);

  await printLines(server, task, 1, 50);
  await page.tick();
  assert.equal(page.shown.length, 50);

  await page.tick();
  assert.equal(page.shown.length, 50, 'nothing new, nothing twice');

  await printLines(server, task, 51, 80);
  await call(server, `/api/tasks/${task}/complete`, {});
  assert.equal(page.stopped(), false);
  await page.tick();
  assert.deepEqual(page.shown, numbered(1, 80));
  assert.equal(page.stopped(), true);
  assert.match(page.console[0] ?? '', /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] \[stdout\] line 1$/);
});

test('the polling example stops when the task fails', async (t) => {
  const server = await startServer(t);
  await call(server, '/api/tasks', { task_id: 'broken' });
  const page = await openPage(asking(server), 'broken');
  await page.tick();
  assert.equal(page.stopped(), false);
  await call(server, '/api/tasks/broken/fail', { error: 'exit code 1' });
  await page.tick();
  assert.equal(page.stopped(), true);
});

test('the polling example reads the Redis list of a task as it reads the server', { skip: noRedis }, async (t) => {
  const { trail, there, mirror } = await mirrored(t);
  const running = await mirror();
  const task = 'task-1737737400.123';
  await trail.create({ taskId: task, source: 'webhook' });
  const answers: Readonly<Record<string, (query: URLSearchParams) => Promise<unknown>>> = {
    logs: (query) => getTaskLogs(there.redis, task, Number(query.get('offset')), Number(query.get('limit'))),
    status: async () => ({ task_id: task, status: (await trail.get(task)).status }),
  };
  const page = await openPage(async (path) => {
    const { pathname, searchParams } = new URL(path, 'http://localhost');
    const answer = answers[pathname.replace(`/tasks/${task}/`, '')];
    return Response.json(await answer?.(searchParams));
  }, task);
  const print = async (first: number, last: number): Promise<void> => {
    await trail.append(task, processLines(first, last));
    await running.settled();
  };
  await print(1, 50);
  await page.tick();
  assert.equal(page.shown.length, 50);
  await print(51, 80);
  await page.tick();
  assert.equal(page.stopped(), false);
  await trail.complete(task);
  await page.tick();
  assert.deepEqual(page.shown, numbered(1, 80));
  assert.equal(page.stopped(), true);
  assert.match(page.console[0] ?? '', /^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] \[stdout\] line 1$/);
});

/** What a browser gives the example: `fetch` relative to the server, a console, and an interval that the test moves on. */
async function openPage(ask: (path: string) => Promise<Response>, task: string) {
  const shown: string[] = [];
  const printed: string[] = [];
  let interval: { readonly run: () => Promise<void>; readonly everyMs: number } | undefined;
  const page = createContext({
    fetch: ask,
    console: { log: (line: string) => printed.push(line) },
    appendToUI: (log: { message: string }) => shown.push(log.message),
    setInterval: (run: () => Promise<void>, everyMs: number) => {
      interval = { run, everyMs };
      return interval;
    },
    clearInterval: (wanted: unknown) => {
      assert.equal(wanted, interval);
      interval = undefined;
    },
  });
  runInContext(await readFile(POLL_LOGS, 'utf8'), page, { filename: 'poll-logs.js' });
  await runInContext(`pollLogs(${JSON.stringify(task)})`, page);
  return {
    shown,
    console: printed,
    everyMs: interval?.everyMs,
    stopped: () => interval === undefined,
    tick: async () => {
      await interval?.run();
    },
  };
}

function asking(server: Server): (path: string) => Promise<Response> {
  return (path) => fetch(new URL(path, server.url));
}

async function printLines(server: Server, task: string, first: number, last: number): Promise<void> {
  await call(server, `/api/tasks/${task}/logs`, processLines(first, last));
}

function processLines(first: number, last: number) {
  return numbered(first, last).map((message) => ({
    message: message.replace('[stdout] ', ''),
    stream: 'stdout' as const,
  }));
}

function numbered(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `[stdout] line ${first + index}`);
}
