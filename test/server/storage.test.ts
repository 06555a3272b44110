import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PRUNE_TASKS, RETENTION_EXAMPLES } from '../../src/core/limits.ts';
import { DAY_MS, TurnedClock } from '../contract/store/support.ts';
import { type ServedOptions, served } from '../support/served.ts';

/** A server under a clock of the test's own, with a way to make tasks that have ended. */
async function stored(t: TestContext, options: ServedOptions = {}) {
  const clock = new TurnedClock();
  const server = await served(t, { clock, ...options });
  const ended = async (taskId: string, lines: number, draft: object = {}): Promise<void> => {
    await server.taskWith(taskId, lines);
    await server.intake.changeTask(taskId, { status: 'completed', ...draft });
  };
  const prune = async (body: object): Promise<[string, string][]> => {
    const { body: answer } = await server.json('POST', '/api/storage/prune', body);
    return answer.tasks.map(({ task_id, rule }: { task_id: string; rule: string }) => [task_id, rule]);
  };
  return { ...server, clock, ended, prune };
}

test('storage says what is stored, since when, and how long it is kept', async (t) => {
  const { json, ended } = await stored(t, { settings: { retentionDays: 30, maxBytes: 5_000 } });
  const empty = await json('GET', '/api/storage');
  assert.deepEqual([empty.status, empty.body.tasks, empty.body.oldest_task_at], [200, 0, null]);
  await ended('a', 10);
  const { body } = await json('GET', '/api/storage');
  assert.ok(body.bytes > 0);
  assert.deepEqual(
    { ...body, bytes: 0 },
    {
      ...{ bytes: 0, file_bytes: 0, deleting_bytes: 0, free_bytes: 0, tasks: 1, entries: 10, lost: 0 },
      ...{ oldest_task_at: '2026-01-24T10:00:00.000Z', retention_days: 30, max_bytes: 5_000, compress_after_days: 0 },
      ...{ disk_bytes: null, disk_free_bytes: null, wal_bytes: null, spool_batches: null },
    },
  );
});

test('storage tells of the disk where there is one', async (t) => {
  const room = async () => ({ diskBytes: 100, diskFreeBytes: 40, walBytes: 7, spoolBatches: 2 });
  const { json } = await stored(t, { room, settings: { compressAfterDays: 7 } });
  const { compress_after_days, disk_bytes, disk_free_bytes, wal_bytes, spool_batches } = (
    await json('GET', '/api/storage')
  ).body;
  assert.deepEqual([compress_after_days, disk_bytes, disk_free_bytes, wal_bytes, spool_batches], [7, 100, 40, 7, 2]);
});

test('a preview counts what would go by the settings or by other rules, and is what a deletion then takes', async (t) => {
  const { json, ended, clock, prune } = await stored(t, { settings: { retentionDays: 30 } });
  await ended('old', 10, { title: 'of last month' });
  await ended('pinned', 10, { pinned: true });
  clock.turn(20 * DAY_MS);
  await ended('young', 5);
  const preview = async (query: string) => (await json('GET', `/api/storage/retention${query}`)).body;
  const none = { tasks: 0, lines: 0, bytes: 0, by_rule: { retention: 0, 'disk limit': 0 }, oldest: [] };
  assert.deepEqual(await preview(''), { ...none, complete: true, older_than_days: 30, max_bytes: null });
  const { bytes, oldest, ...rest } = await preview('?older_than_days=19');
  assert.deepEqual(rest, {
    ...{ tasks: 1, lines: 10, by_rule: { retention: 1, 'disk limit': 0 } },
    ...{ complete: true, older_than_days: 19, max_bytes: null },
  });
  assert.deepEqual([oldest[0].task_id, oldest[0].title, oldest[0].bytes], ['old', 'of last month', bytes]);
  const both = await preview('?older_than_days=19&max_bytes=1');
  assert.deepEqual([both.tasks, both.lines, both.by_rule], [2, 15, { retention: 1, 'disk limit': 1 }]);
  assert.deepEqual((await prune({ older_than_days: 19, max_bytes: 1 })).length, 2);
  assert.equal((await preview('?older_than_days=0')).tasks, 0);
});

test('a preview of more tasks than it names counts them all', async (t) => {
  const { json, intake, clock } = await stored(t);
  const tasks = PRUNE_TASKS + 5;
  for (let n = 0; n < tasks; n++) await intake.createTask({ taskId: `t${n}`, status: 'completed' });
  clock.turn(DAY_MS);
  const { body } = await json('GET', '/api/storage/retention?older_than_days=0');
  assert.deepEqual([body.tasks, body.oldest.length, body.complete], [tasks, RETENTION_EXAMPLES, true]);
});

test('a dry run names what would go and by which rule, and deletes nothing', async (t) => {
  const { json, ended, clock } = await stored(t);
  await ended('old', 10, { title: 'of last month' });
  await ended('pinned', 10, { pinned: true });
  clock.turn(10 * DAY_MS);
  await ended('young', 5);
  const { status, body } = await json('POST', '/api/storage/prune', { dry_run: true, older_than_days: 9 });
  const bytes = body.tasks[0]?.bytes;
  assert.ok(bytes > 0);
  assert.deepEqual(
    [status, body],
    [
      200,
      {
        dry_run: true,
        tasks: [
          {
            task_id: 'old',
            title: 'of last month',
            ended_at: '2026-01-24T10:00:00.000Z',
            lines: 10,
            bytes,
            rule: 'retention',
          },
        ],
        next_cursor: null,
      },
    ],
  );
  assert.equal((await json('GET', '/api/tasks')).body.total, 3);
});

test('pruning takes the settings where the request says nothing, and the request where it does', async (t) => {
  const { prune, ended, clock, json } = await stored(t, { settings: { retentionDays: 30 } });
  await ended('a', 10);
  clock.turn(20 * DAY_MS);
  await ended('b', 10);
  clock.turn(11 * DAY_MS);
  await ended('c', 10);
  assert.deepEqual(await prune({ dry_run: true }), [['a', 'retention']]);
  assert.deepEqual(await prune({ dry_run: true, max_bytes: 1 }), [
    ['a', 'retention'],
    ['b', 'disk limit'],
    ['c', 'disk limit'],
  ]);
  assert.deepEqual(await prune({ older_than_days: 11 }), [['a', 'retention']]);
  assert.deepEqual(await prune({ older_than_days: 10 }), [['b', 'retention']]);
  assert.deepEqual(await prune({}), []);
  const gone = await json('GET', '/api/tasks/b');
  assert.deepEqual([gone.status, gone.body.code], [410, 'task_deleted']);
  assert.match(gone.body.detail, /by retention$/);
});

test('without a rule nothing goes', async (t) => {
  const { prune, ended, clock, call } = await stored(t);
  await ended('a', 10);
  clock.turn(36_500 * DAY_MS);
  assert.deepEqual(await prune({}), []);
  assert.equal((await call('POST', '/api/storage/prune')).status, 200);
  assert.equal((await call('GET', '/api/tasks/a')).status, 200);
});

test('many tasks go in steps, each bounded; a dry run comes to the same tasks by its cursor', async (t) => {
  const { json, intake, clock } = await stored(t);
  const count = PRUNE_TASKS + 3;
  for (let n = 0; n < count; n++) {
    await intake.createTask({ taskId: `t${n}`, status: 'completed' });
    await intake.append({ taskId: `t${n}`, body: '{"message":"12345678"}', format: 'json' });
  }
  clock.turn(DAY_MS);
  const all = async (body: object): Promise<string[][]> => {
    const pages: string[][] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const answer = (await json('POST', '/api/storage/prune', { ...body, cursor })).body;
      pages.push(answer.tasks.map(({ task_id }: { task_id: string }) => task_id));
      cursor = answer.next_cursor;
    }
    return pages;
  };
  // 8 bytes a task: the limit leaves room for one.
  for (const rule of [{ older_than_days: 0 }, { max_bytes: 8 }]) {
    const dry = await all({ ...rule, dry_run: true });
    assert.deepEqual(
      dry.map((page) => page.length),
      [PRUNE_TASKS, 'max_bytes' in rule ? 2 : 3],
    );
  }
  const gone = await all({ max_bytes: 8 });
  assert.equal(gone.flat().length, count - 1);
  assert.equal((await json('GET', '/api/tasks')).body.total, 1);
});

test('only an admin prunes, and everybody who reads may look at the storage', async (t) => {
  const tokens = (['admin', 'writer', 'reader'] as const).map((role) => ({ role, token: `${role}-token` }));
  const { call } = await stored(t, { settings: { tokens } });
  const asked = (method: string, path: string) =>
    Promise.all(
      tokens.map(async ({ token }) => {
        const body = method === 'POST' ? { dry_run: true } : undefined;
        return (await call(method, path, body, { authorization: `Bearer ${token}` })).status;
      }),
    );
  assert.deepEqual(await asked('POST', '/api/storage/prune'), [200, 403, 403]);
  assert.deepEqual(await asked('GET', '/api/storage/retention'), [200, 403, 403]);
  assert.deepEqual(await asked('GET', '/api/storage'), [200, 200, 200]);
});

test('a bad value is named', async (t) => {
  const { json } = await stored(t);
  for (const [body, path] of [
    [{ older_than_days: -1 }, 'older_than_days'],
    [{ max_bytes: 0 }, 'max_bytes'],
    [{ dry_run: 'maybe' }, 'dry_run'],
  ] as const) {
    const answer = await json('POST', '/api/storage/prune', body);
    assert.equal(answer.status, 400);
    assert.match(JSON.stringify(answer.body), new RegExp(path));
  }
  for (const query of ['older_than_days=-1', 'older_than_days=x', 'max_bytes=0', 'days=1']) {
    assert.equal((await json('GET', `/api/storage/retention?${query}`)).status, 400, query);
  }
  for (const cursor of ['?', 'AAAA', Buffer.from('[1,2,3]').toString('base64url')]) {
    const { status, body } = await json('POST', '/api/storage/prune', { cursor });
    assert.deepEqual([status, body.code], [400, 'invalid_cursor']);
  }
});

test('a heartbeat opens a task whose reporter was thought gone, and leaves other ended tasks as they are', async (t) => {
  const { json, intake, clock } = await stored(t);
  for (const taskId of ['gone', 'done']) await intake.createTask({ taskId });
  await intake.changeTask('done', { status: 'failed', error: 'no luck' });
  clock.turn(DAY_MS);
  await intake.failVanished(new Date(clock.now()).toISOString(), 10);
  assert.equal((await json('GET', '/api/tasks/gone')).body.error, 'reporter vanished');
  const beat = async (id: string) => (await json('POST', `/api/tasks/${id}/heartbeat`)).body;
  assert.deepEqual([(await beat('gone')).status, (await beat('gone')).error], ['executing', null]);
  assert.equal((await beat('done')).status, 'failed');
});
