import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { call } from '../support/api.ts';
import { type Server, startServer } from '../support/server.ts';

const POLL_LOGS = new URL('../fixtures/mission/poll-logs.js', import.meta.url);

test('the polling example of the mission shows every line once and stops when the task completes', async (t) => {
  const server = await startServer(t);
  const task = 'task-1737737400.123';
  await call(server, '/api/tasks', { task_id: task, source: 'webhook' });
  const page = await openPage(server, task);
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
  const page = await openPage(server, 'broken');
  await page.tick();
  assert.equal(page.stopped(), false);
  await call(server, '/api/tasks/broken/fail', { error: 'exit code 1' });
  await page.tick();
  assert.equal(page.stopped(), true);
});

/** What a browser gives the example: `fetch` relative to the server, a console, and an interval that the test moves on. */
async function openPage(server: Server, task: string) {
  const shown: string[] = [];
  const printed: string[] = [];
  let interval: { readonly run: () => Promise<void>; readonly everyMs: number } | undefined;
  const page = createContext({
    fetch: (path: string) => fetch(new URL(path, server.url)),
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

async function printLines(server: Server, task: string, first: number, last: number): Promise<void> {
  const lines = numbered(first, last).map((message) => ({
    message: message.replace('[stdout] ', ''),
    stream: 'stdout',
  }));
  await call(server, `/api/tasks/${task}/logs`, lines);
}

function numbered(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `[stdout] line ${first + index}`);
}
