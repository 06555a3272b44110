import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Analytics, AnalyticsQuery, CostlyTask, FailureGroup } from '../../core/analytics.ts';
import { dayOf } from '../../core/analytics.ts';
import { Failures } from '../../core/failures.ts';
import { dearest, type FigureKey, Summing } from '../../core/figures.ts';
import { DAY_TASKS, FAILURES_READ, READ_ROWS, TOP_TASKS } from '../../core/limits.ts';
import type { Status } from '../../core/status.ts';
import type { Database } from './database.ts';
import { nextDay, type Range, readDay, WITHIN } from './day-figures.ts';

/**
 * The tasks that are there and the totals of those that were deleted, a day at a time with turns for other readers in between; of
 * a day with more than `dayTasks` a part at a time.
 */
export async function analyticsOf(db: Database, query: AnalyticsQuery, dayTasks = DAY_TASKS): Promise<Analytics> {
  const summing = new Summing(query);
  const peaks = new Peaks();
  let day = nextDay(db, dayOf(query.from), query);
  while (day !== undefined) {
    for (const { row, peakUsd } of await readDay(db, day, { query, dayTasks })) {
      summing.add(row);
      if (peakUsd > 0) peaks.add(row, peakUsd);
    }
    day = nextDay(db, `${day}~`, query);
  }
  const topCost = peaks.tasks(db, query);
  await nextTurn();
  const { topFailures, topFailuresExact } = await failuresOf(db, query);
  return { ...query, ...summing.figures(), topCost, topFailures, topFailuresExact };
}

/** Where the dearest tasks are: each group tells its dearest, so only a few groups need be looked into. */
class Peaks {
  #groups: { readonly key: FigureKey; readonly usd: number }[] = [];

  add(key: FigureKey, usd: number): void {
    const least = this.#groups.at(-1);
    if (this.#groups.length === TOP_TASKS && least && least.usd >= usd) return;
    this.#groups.push({ key, usd });
    this.#groups.sort((a, b) => b.usd - a.usd);
    this.#groups.length = Math.min(this.#groups.length, TOP_TASKS);
  }

  tasks(db: Database, { from, to }: Range): readonly CostlyTask[] {
    const numbers = this.#groups.flatMap(({ key: { day, status, source, agent, model } }) =>
      db.all<{ task_no: number; cost_usd: number; created_at: string }>(
        `SELECT task_no, cost_usd, created_at FROM tasks INDEXED BY tasks_figures
         WHERE ${WITHIN} AND status = ? AND source = ? AND assigned_agent IS ? AND model IS ? AND cost_usd > 0
         ORDER BY cost_usd DESC, created_at DESC LIMIT ?`,
        ...[day, from, to, status, source, agent, model, TOP_TASKS],
      ),
    );
    // A group of a day that was read in parts stands here once for each.
    const found = [...new Map(numbers.map((number) => [number.task_no, number])).values()]
      .sort((a, b) => b.cost_usd - a.cost_usd || (a.created_at > b.created_at ? -1 : 1))
      .slice(0, TOP_TASKS)
      .flatMap(({ task_no }) =>
        db.all<{
          task_id: string;
          title: string | null;
          status: Status;
          agent: string | null;
          cost_usd: number;
          at: string;
        }>(
          `SELECT task_id, title, status, assigned_agent AS agent, cost_usd, created_at AS at FROM tasks
           WHERE task_no = ? AND cost_usd IS NOT NULL`,
          task_no,
        ),
      );
    return dearest(
      found.map(({ task_id: taskId, title, status, agent: assignedAgent, cost_usd: costUsd, at: createdAt }) => ({
        ...{ taskId, title, status, assignedAgent, costUsd, createdAt },
      })),
    );
  }
}

/** Reasons of the newest failures, from an index that holds their starts. */
async function failuresOf(
  db: Database,
  { from, to }: Range,
): Promise<Pick<Analytics, 'topFailures' | 'topFailuresExact'>> {
  const failures = new Failures<number>();
  let [before, beforeNo, read] = [to, 0, 0];
  for (let more = true; more && read < FAILURES_READ; ) {
    const rows = db.all<{ task_no: number; created_at: string; error: string | null }>(
      `SELECT task_no, created_at, substr(error, 1, 300) AS error FROM tasks INDEXED BY tasks_failed
       WHERE counted = 0 AND status IN ('failed', 'timed_out') AND created_at >= ? AND (created_at, task_no) < (?, ?)
       ORDER BY created_at DESC, task_no DESC LIMIT ?`,
      ...[from, before, beforeNo, READ_ROWS],
    );
    for (const { task_no, error } of rows) failures.add(task_no, error);
    read += rows.length;
    more = rows.length === READ_ROWS;
    ({ created_at: before, task_no: beforeNo } = rows.at(-1) ?? { created_at: before, task_no: beforeNo });
    await nextTurn();
    if (!more) return { topFailures: named(db, failures), topFailuresExact: true };
  }
  return { topFailures: named(db, failures), topFailuresExact: false };
}

/** A task that was deleted meanwhile takes its group along. */
function named(db: Database, failures: Failures<number>): readonly FailureGroup[] {
  return failures
    .top()
    .flatMap(({ id, ...group }) =>
      db
        .all<{ task_id: string }>('SELECT task_id FROM tasks WHERE task_no = ?', id)
        .map(({ task_id: taskId }) => ({ ...group, taskId })),
    );
}
