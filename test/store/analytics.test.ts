import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { ANALYTICS_GROUPS, type AnalyticsQuery } from '../../src/core/analytics.ts';
import { analyticsOf } from '../../src/store/sqlite/analytics.ts';
import { DATABASE_FILE, openDatabase } from '../../src/store/sqlite/database.ts';
import { defineGathered } from '../../src/store/sqlite/day-figures.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { taskOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

const MIGRATIONS = new URL('../../src/store/sqlite/migrations/', import.meta.url);
const TASKS = 60;
const ALL: AnalyticsQuery = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', groupBy: 'status' };

/** A store with tasks all over two days, of two statuses, and a connection that reads it. */
async function stored(t: TestContext) {
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  for (let n = 0; n < TASKS; n += 1) {
    const createdAt = new Date(Date.parse('2026-01-10T00:00:00.000Z') + n * 48 * 60_000).toISOString();
    const status = n % 3 ? 'completed' : 'failed';
    const metrics = { costUsd: n / 8, durationSeconds: n };
    await store.createTask(taskOf(`t${n}`, { createdAt, status, metrics, source: `s${n % 2}` }));
  }
  await store.deleteTask('t5', 'ada');
  const db = openDatabase(dataDir);
  defineGathered(db);
  t.after(async () => {
    db.close();
    await store.close();
  });
  return { store, db };
}

test('a day of many tasks is read in parts, to the same figures', async (t) => {
  const { store, db } = await stored(t);
  const ranges = [ALL, { ...ALL, from: '2026-01-10T07:30:00.000Z', to: '2026-01-11T11:59:59.999Z' }];
  for (const range of ranges) {
    for (const groupBy of ANALYTICS_GROUPS) {
      const whole = await store.analytics({ ...range, groupBy });
      for (const dayTasks of [1, 4, 29])
        assert.deepEqual(await analyticsOf(db, { ...range, groupBy }, dayTasks), whole);
    }
  }
});

test('tasks from before analytics took from their start to their end, unless they said so themselves', async (t) => {
  const dataDir = await scratch(t);
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  const before = readdirSync(MIGRATIONS)
    .filter((file) => file < '0010')
    .sort();
  for (const file of before) db.exec(readFileSync(new URL(file, MIGRATIONS), 'utf8'));
  db.exec('PRAGMA user_version = 9');
  const [start, end] = ['2026-01-10T23:59:59.999Z', '2026-01-12T00:00:00.456Z'];
  const insert = db.prepare(`INSERT INTO tasks (task_id, status, source, tags_json, pinned, created_at, updated_at,
    started_at, completed_at, duration_seconds) VALUES (?, ?, 'api', '[]', 0, '${start}', '${start}', ?, ?, ?)`);
  const old: [id: string, started: string | null, completed: string | null, told: number | null, now: number | null][] =
    [
      ['silent', start, end, null, 86_400.457],
      ['told', start, end, 7.5, 7.5],
      ['backwards', end, start, null, 0],
      ['never begun', null, end, null, null],
      ['at work', start, null, null, null],
    ];
  for (const [id, started, completed, told] of old) {
    insert.run(id, completed ? 'completed' : 'executing', started, completed, told);
  }
  db.exec(`INSERT INTO trails (task_no, last_seq, lost, debug, info, warning, error, revision)
    SELECT task_no, 0, 0, 0, 0, 0, 0, 0 FROM tasks`);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  for (const [id, , , , seconds] of old) assert.equal((await store.task(id)).metrics.durationSeconds, seconds, id);
});

test('tasks that are deleted while their day is read are counted once', async (t) => {
  const { store, db } = await stored(t);
  for (const [first, second] of [
    ['t1', 't28'],
    ['t29', 't2'],
    ['t3', 't4'],
  ] as const) {
    const reading = analyticsOf(db, ALL, 2);
    await new Promise(setImmediate);
    await store.deleteTask(first, 'ada');
    await new Promise(setImmediate);
    await store.deleteTask(second, 'ada');
    const { total } = await reading;
    assert.deepEqual([total.runs, total.costUsd], [TASKS, ((TASKS - 1) * TASKS) / 2 / 8]);
  }
});
