import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Analytics, AnalyticsQuery, CostlyTask, FailureGroup } from '../../core/analytics.ts';
import { dayOf } from '../../core/analytics.ts';
import { Failures } from '../../core/failures.ts';
import { dearest, type FigureKey, type FigureRow, Summing } from '../../core/figures.ts';
import { FAILURES_READ, READ_ROWS, TOP_TASKS } from '../../core/limits.ts';
import type { Status } from '../../core/status.ts';
import { totalsOf } from './daily-totals.ts';
import type { Database } from './database.ts';

const DAY = 'substr(created_at, 1, 10)';
const WITHIN = `counted = 0 AND ${DAY} = ? AND created_at >= ? AND created_at < ?`;
/** Of a task that has not ended its trail is asked. */
const linesOf = (kept: string, counted: string): string =>
  `coalesce(${kept}, (SELECT trails.${counted} FROM trails WHERE trails.task_no = tasks.task_no))`;
const MIDNIGHT = 'T00:00:00.000Z';

type Range = Pick<AnalyticsQuery, 'from' | 'to'>;

/** Give the connection the function that hands the figures of a group over together: doubles, one after the other. */
export function defineGathered(db: Database): void {
  db.defineAggregate<number[]>('gathered', {
    start: () => [],
    step: (list, value) => {
      if (typeof value === 'number') list.push(value);
      return list;
    },
    result: (list) => new Uint8Array(Float64Array.from(list).buffer),
  });
}

/**
 * The tasks that are there and the totals of those that were deleted, a day at a time with turns for other readers in between. A
 * day is one short read, so that a task that is deleted meanwhile is in one of the two.
 */
export async function analyticsOf(db: Database, query: AnalyticsQuery): Promise<Analytics> {
  const summing = new Summing(query.groupBy);
  const peaks = new Peaks();
  let day = nextDay(db, dayOf(query.from), query);
  while (day !== undefined) {
    readDay(db, day, { query, summing, peaks });
    await nextTurn();
    day = nextDay(db, `${day}~`, query);
  }
  const topCost = peaks.tasks(db, query);
  await nextTurn();
  const { topFailures, topFailuresExact } = await failuresOf(db, query);
  return { ...query, ...summing.figures(), topCost, topFailures, topFailuresExact };
}

interface LiveRow {
  status: Status;
  source: string;
  agent: string | null;
  model: string | null;
  runs: number;
  cost_usd: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_creation_tokens: number | null;
  lines: number;
  errors: number;
  durations: Uint8Array;
  peak: number | null;
}

function readDay(
  db: Database,
  day: string,
  { query, summing, peaks }: { query: Range; summing: Summing; peaks: Peaks },
): void {
  db.beginRead();
  try {
    const live = db.all<LiveRow>(
      `SELECT status, source, assigned_agent AS agent, model, count(*) AS runs, sum(cost_usd) AS cost_usd,
         sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(cache_read_tokens) AS cache_read_tokens,
         sum(cache_creation_tokens) AS cache_creation_tokens, sum(${linesOf('ended_lines', 'last_seq')}) AS lines,
         sum(${linesOf('ended_errors', 'error')}) AS errors,
         gathered(duration_seconds) AS durations, max(cost_usd) AS peak
       FROM tasks INDEXED BY tasks_figures WHERE ${WITHIN}
       GROUP BY status, source, assigned_agent, model`,
      ...[day, query.from, query.to],
    );
    for (const row of live) {
      const figures = figuresOf(day, row);
      summing.add(figures);
      if (row.peak !== null && row.peak > 0) peaks.add(figures, row.peak);
    }
    // Of deleted tasks the day is known: it counts with its first moment, so that ranges that meet count it once.
    if (`${day}${MIDNIGHT}` >= query.from) for (const row of totalsOf(db, day)) summing.add(row);
  } finally {
    db.endRead();
  }
}

/** The first day with tasks, or totals of them, from a day on. */
function nextDay(db: Database, from: string, { to }: Range): string | undefined {
  const found = db.get<{ day: string | null }>(
    `SELECT min(day) AS day FROM (
       SELECT * FROM (SELECT ${DAY} AS day FROM tasks INDEXED BY tasks_figures WHERE counted = 0 AND ${DAY} >= ?1
         ORDER BY ${DAY} LIMIT 1)
       UNION ALL SELECT * FROM (SELECT day FROM daily_totals WHERE day >= ?1 ORDER BY day LIMIT 1))`,
    from,
  );
  return found?.day != null && `${found.day}${MIDNIGHT}` < to ? found.day : undefined;
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
    const found = numbers
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

function figuresOf(day: string, { status, source, agent, model, runs, lines, errors, ...row }: LiveRow): FigureRow {
  return {
    ...{ day, source, agent, model, status, runs, lines, errors, costUsd: row.cost_usd },
    ...{ inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    ...{ cacheReadTokens: row.cache_read_tokens, cacheCreationTokens: row.cache_creation_tokens },
    durations: doublesOf(row.durations),
    buckets: {},
  };
}

function doublesOf(bytes: Uint8Array): Float64Array {
  const aligned = bytes.byteOffset % Float64Array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / Float64Array.BYTES_PER_ELEMENT);
}
