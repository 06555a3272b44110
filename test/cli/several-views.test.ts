import assert from 'node:assert/strict';
import { on } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { WireEntry } from '../../src/core/wire.ts';
import { provider } from '../outlet/replies/support.ts';
import { noRedis } from '../support/redis.ts';
import { reach } from './cli.ts';
import { several } from './several.ts';

const SKIP = { skip: noRedis };
const PARTS = 6;
const PART_LINES = 100;
/** A viewer hangs up after so many: at least once in each part. */
const HANG_UP_LINES = 60;

interface Frame {
  readonly type: string;
  readonly entries?: readonly WireEntry[];
  readonly stream?: string;
  readonly text?: string;
}

test(
  'a viewer at one server sees every line that another takes in, once and in order, also when it comes back',
  SKIP,
  async (t) => {
    const { server } = await several(t);
    const urls = [String((await server('all')).url), String((await server('api')).url)];
    for (const [reported = '', viewed = ''] of [urls, urls.toReversed()]) {
      const taskId = `at-${new URL(reported).port}`;
      await post(reported, '/api/tasks', { task_id: taskId });
      const entries: WireEntry[] = [];
      const viewing = viewAgainAndAgain(t, { url: viewed, taskId, entries });
      const expected = Array.from({ length: PARTS * PART_LINES }, (_, n) => `line ${n + 1}`);
      for (let sent = 0, size = 1; sent < expected.length; size = (size % 7) + 1) {
        // To the end of the part: the next one waits until this one was seen.
        const to = Math.min(sent + size, sent - (sent % PART_LINES) + PART_LINES);
        const lines = expected.slice(sent, to).map((message) => ({ message }));
        await post(reported, `/api/tasks/${taskId}/logs`, lines);
        sent = to;
        if (sent % PART_LINES === 0) await until(() => entries.length >= sent);
      }
      await (await reach(t, reported)).complete(taskId);
      const connections = await viewing;
      assert.deepEqual(
        entries.map(({ seq, message }) => [seq, message]),
        expected.map((message, n) => [n + 1, message]),
      );
      assert.ok(connections > PARTS, `${connections} connections`);
    }
  },
);

test('a viewer at one server sees the unended line of another, and that it has ended', SKIP, async (t) => {
  const { server } = await several(t);
  const [reported, viewed] = [String((await server('api')).url), String((await server('all')).url)];
  await post(reported, '/api/tasks', { task_id: 'task-1' });
  const seen: (string | undefined)[] = [];
  const partial = (text: string) => post(reported, '/api/tasks/task-1/partial', { stream: 'stdout', text });
  for await (const { type, text } of frames(t, viewed, 'task-1', 0)) {
    if (type === 'caught_up') await partial(`Downloading with ghp_${'a1B2'.repeat(9)} at 10 %`);
    if (type !== 'partial') continue;
    seen.push(text);
    if (text === '') break;
    await partial('');
  }
  assert.deepEqual(seen, ['Downloading with [redacted:github-token] at 10 %', '']);
});

test(
  'who takes over has every duty of the owner: it deletes, compresses, writes directories and lists, and tells Slack',
  SKIP,
  async (t) => {
    const slack = await provider(t);
    const env = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_API_URL: `${slack.url}/api`, TASK_LOGS_RETENTION_DAYS: '3650' };
    const { server, redis, at } = await several(t, env, { slack: { channel: 'C0TRAIL', on: ['completed'] } });
    const owner = await server('all');
    const api = await server('api');
    const url = String(api.url);
    const event = (type: string, taskId: string, timestamp: string, data: object) =>
      redis.redis.xadd(
        'task_events',
        '*',
        ...['type', type, 'task_id', taskId, 'timestamp', timestamp, 'data', JSON.stringify(data)],
      );
    // The owner looks for such tasks when it starts, and again in an hour.
    for (const [taskId, year] of [
      ['to-delete', 2010],
      ['to-compress', 2020],
    ] as const) {
      await event('task:output', taskId, `${year}-01-01T00:00:00Z`, { content: 'long ago' });
      await event('task:completed', taskId, `${year}-01-01T00:00:01Z`, {});
      await until(async () => (await get(url, `/api/tasks/${taskId}`)).status === 'completed');
    }
    assert.equal(chunks(at.dataDir), 0);
    owner.child.kill('SIGKILL');
    await owner.ended;
    await api.seen('does its work from now on');
    await post(url, '/api/tasks', { task_id: 'after', title: 'After the kill' });
    await post(url, '/api/tasks/after/logs', [{ message: 'one' }, { message: 'two' }]);
    await (await reach(t, url)).complete('after');
    await until(async () => (await get(url, '/api/tasks/to-delete')).code === 'task_deleted');
    await until(() => chunks(at.dataDir) === 1);
    await until(async () => (await redis.redis.llen('tasks:after:logs')) === 2);
    await until(() => existsSync(join(at.dataDir, 'tasks', 'after', '04-final-result.json')));
    await until(() => slack.heard.some(({ body }) => JSON.stringify(body).includes('After the kill')));
  },
);

/** A viewer who hangs up after some lines each time, and comes back for what is after them. Answers how often it was there. */
async function viewAgainAndAgain(
  t: TestContext,
  { url, taskId, entries }: { url: string; taskId: string; entries: WireEntry[] },
): Promise<number> {
  for (let connections = 1; ; connections++) {
    let here = 0;
    for await (const frame of frames(t, url, taskId, entries.at(-1)?.seq ?? 0)) {
      entries.push(...(frame.entries ?? []));
      here += frame.entries?.length ?? 0;
      if (frame.type === 'end') return connections;
      if (here >= HANG_UP_LINES) break;
    }
  }
}

async function* frames(t: TestContext, url: string, taskId: string, after: number): AsyncGenerator<Frame> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/logs/${taskId}?after=${after}`);
  t.after(() => socket.terminate());
  try {
    for await (const [data] of on(socket, 'message', { close: ['close'] })) yield JSON.parse(String(data)) as Frame;
  } finally {
    socket.terminate();
  }
}

async function post(url: string, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
}

async function get(url: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  return (await (await fetch(`${url}${path}`)).json()) as Record<string, unknown>;
}

function chunks(dataDir: string): number {
  const db = new DatabaseSync(join(dataDir, 'tasktrail.db'), { readOnly: true });
  const { n } = db.prepare('SELECT count(*) AS n FROM chunks').get() as { n: number };
  db.close();
  return n;
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20));
}
