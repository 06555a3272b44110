import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ANALYTICS_GROUPS, type AnalyticsQuery } from '../../src/core/analytics.ts';
import { analyticsOf } from '../../src/store/sqlite/analytics.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { defineGathered } from '../../src/store/sqlite/day-figures.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { taskOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

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
