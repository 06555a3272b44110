import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { newTask } from '../../src/core/change.ts';
import type { Draft } from '../../src/core/entry.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { stored } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

export const MONDAY = '2026-01-05T12:00:00.000Z';
export const TUESDAY = '2026-01-06T12:00:00.000Z';
export const WEDNESDAY = '2026-01-07T12:00:00.000Z';

/** A store in which each task holds these lines and has ended at this time; null: it runs on. */
export async function holding(
  t: TestContext,
  tasks: Readonly<Record<string, { ended: string | null; lines: readonly Draft[] }>>,
) {
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  for (const [taskId, { ended, lines }] of Object.entries(tasks)) {
    await store.createTask(newTask({ taskId }, MONDAY));
    await stored(store, taskId, lines);
    if (ended) await store.changeTask(taskId, { status: 'completed', completedAt: ended });
  }
  const count = (table: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  return { dataDir, store, db, count };
}

/** Compress all that ended before. Answers how many steps it took. */
export function compress(store: SqliteStore, endedBefore: string): number {
  let steps = 0;
  while (store.compress(endedBefore)) steps++;
  return steps;
}
