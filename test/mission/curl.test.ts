import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { call } from '../support/api.ts';
import { missing } from '../support/programs.ts';
import { scratch } from '../support/scratch.ts';
import { type Server, startServer } from '../support/server.ts';

interface Page {
  readonly task_id: string;
  readonly logs: readonly { readonly timestamp: string; readonly message: string }[];
  readonly offset: number;
  readonly limit: number;
  readonly total: number;
  readonly has_more: boolean;
}

const TASK = 'task-1737737400.123';
const LINES = 250;
const COMMANDS = readFileSync(new URL('../fixtures/mission/poll-logs.sh', import.meta.url), 'utf8');
const SENTRY = readFileSync(new URL('../fixtures/mission/sentry-webhook.sh', import.meta.url), 'utf8');
const run = promisify(execFile);
const needs = { skip: missing('curl') };

test('`curl …/logs?limit=100` gets the first hundred lines', needs, async (t) => {
  const page = await pageOf(t, '# Get latest logs');
  assert.deepEqual(shape(page), { task_id: TASK, offset: 0, limit: 100, total: LINES, has_more: true });
  assert.deepEqual(messages(page), numbered(1, 100));
  assert.match(page.logs[0]?.timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('`curl …/logs?offset=100&limit=100` gets the next hundred, without quotes too', needs, async (t) => {
  // The shell reads `&` as "in the background", so the server sees the offset alone; the default limit saves the day.
  const page = await pageOf(t, '# Get next batch (offset by previous count)');
  assert.deepEqual(shape(page), { task_id: TASK, offset: 100, limit: 100, total: LINES, has_more: true });
  assert.deepEqual(messages(page), numbered(101, 200));
});

test('`curl …/logs?limit=-1` gets every line', needs, async (t) => {
  const page = await pageOf(t, '# Get all logs');
  assert.deepEqual(shape(page), { task_id: TASK, offset: 0, limit: -1, total: LINES, has_more: false });
  assert.deepEqual(messages(page), numbered(1, LINES));
});

test('`curl …/status` tells the status with its metadata', needs, async (t) => {
  const answer = (await answerTo(
    t,
    COMMANDS.split('\n').find((line) => line.endsWith('/status')),
  )) as {
    task_id: string;
    status: string;
    metadata: Record<string, unknown>;
  };
  assert.equal(answer.task_id, TASK);
  assert.equal(answer.status, 'discovering');
  assert.equal(answer.metadata.status, 'discovering');
  assert.match(String(answer.metadata.updated_at), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(Object.keys(answer.metadata).sort(), ['plan', 'queue', 'status', 'updated_at']);
});

test(
  '`curl -X POST …/webhooks/sentry` answers with a task_id, and the task is about what Sentry said',
  needs,
  async (t) => {
    const server = await startServer(t, { env: { TASKTRAIL_AGENT_COMMAND: 'cat' } });
    const { task_id: id } = (await ran(t, SENTRY, server)) as { task_id: string };
    assert.match(id, /^task-/);
    const { input, ...task } = (await (await fetch(`${server.url}/api/tasks/${id}`)).json()) as {
      input: { message: string; source_metadata: { repo: string } };
      source: string;
      provider: string;
    };
    assert.deepEqual([input.message, input.source_metadata.repo], ['TypeError in payment service', 'myorg/myrepo']);
    assert.deepEqual([task.source, task.provider], ['webhook', 'sentry']);
  },
);

async function pageOf(t: TestContext, comment: string): Promise<Page> {
  const lines = COMMANDS.split('\n');
  return (await answerTo(t, lines[lines.indexOf(comment) + 1])) as Page;
}

/** Run a command of the document, letter for letter: only curl's own configuration knows the server's real port. */
async function answerTo(t: TestContext, command: string | undefined): Promise<unknown> {
  if (command === undefined) throw new Error('the document has no such command');
  assert.ok(command.startsWith('curl http://localhost:8000/'), command);
  return ran(t, command, await serverWithLines(t));
}

async function ran(t: TestContext, command: string, server: Server): Promise<unknown> {
  const home = await scratch(t);
  const { host } = new URL(server.url);
  await writeFile(join(home, '.curlrc'), `connect-to = "localhost:8000:${host}"\nsilent\nshow-error\nfail\n`);
  const { stdout } = await run('bash', ['-c', `${command}\nwait`], {
    env: { PATH: process.env.PATH, CURL_HOME: home },
  });
  return JSON.parse(stdout);
}

async function serverWithLines(t: TestContext): Promise<Server> {
  const server = await startServer(t);
  await call(server, '/api/tasks', { task_id: TASK, status: 'discovering' });
  const lines = Array.from({ length: LINES }, (_, index) => ({ message: `line ${index + 1}`, stream: 'stdout' }));
  await call(server, `/api/tasks/${TASK}/logs`, lines);
  return server;
}

function shape({ task_id, offset, limit, total, has_more }: Page): Omit<Page, 'logs'> {
  return { task_id, offset, limit, total, has_more };
}

function messages(page: Page): string[] {
  return page.logs.map((log) => log.message);
}

function numbered(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `[stdout] line ${first + index}`);
}
