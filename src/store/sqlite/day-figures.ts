import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AnalyticsQuery } from '../../core/analytics.ts';
import type { FigureRow } from '../../core/figures.ts';
import { earlier, isoTime, later } from '../../core/time.ts';
import { totalsOf } from './daily-totals.ts';
import type { Database } from './database.ts';
import { type FigureColumns, figureRow } from './figure-row.ts';

const DAY = 'substr(created_at, 1, 10)';
/** Tasks of a day that were made from a moment on and before another. */
export const WITHIN = `counted = 0 AND ${DAY} = ? AND created_at >= ? AND created_at < ?`;
/** Of a task that has not ended its trail is asked. */
const linesOf = (kept: string, counted: string): string =>
  `coalesce(${kept}, (SELECT trails.${counted} FROM trails WHERE trails.task_no = tasks.task_no))`;
const MIDNIGHT = 'T00:00:00.000Z';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Most parts of a day: each looks through the day's part of the index. */
const PARTS = 24;
/** How often a day is read again because tasks of it were deleted meanwhile. */
const TRIES = 3;

export type Range = Pick<AnalyticsQuery, 'from' | 'to'>;

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

interface DayRow {
  readonly row: FigureRow;
  /** The dearest of its tasks that are there; 0 when none cost anything. */
  readonly peakUsd: number;
}

interface DayPart {
  readonly live: readonly DayRow[];
  readonly totals: readonly FigureRow[];
}

/**
 * The figures of a day, with a turn for other readers after each part of it. A part is one short read of tasks and totals; when
 * the totals grew between the parts, a deleted task may be in both or in none, and the day is read again.
 */
export async function readDay(
  db: Database,
  day: string,
  { query, dayTasks }: { readonly query: Range; readonly dayTasks: number },
): Promise<readonly DayRow[]> {
  const ranges = partsOf(db, day, { query, dayTasks });
  for (let tries = 1; ; tries += 1) {
    const parts: DayPart[] = [];
    for (const range of ranges) {
      parts.push(readPart(db, day, range));
      await nextTurn();
    }
    const deleted = new Set(parts.map(({ totals }) => totals.reduce((sum, { runs }) => sum + runs, 0)));
    if (deleted.size > 1 && tries < TRIES) continue;
    const live = parts.flatMap((part) => part.live);
    // Of deleted tasks the day is known: it counts with its first moment, so that ranges that meet count it once.
    const totals = `${day}${MIDNIGHT}` >= query.from ? (parts.at(-1)?.totals ?? []) : [];
    return [...live, ...totals.map((row) => ({ row, peakUsd: 0 }))];
  }
}

/** The first day with tasks, or totals of them, from a day on. */
export function nextDay(db: Database, from: string, { to }: Range): string | undefined {
  const found = db.get<{ day: string | null }>(
    `SELECT min(day) AS day FROM (
       SELECT * FROM (SELECT ${DAY} AS day FROM tasks INDEXED BY tasks_figures WHERE counted = 0 AND ${DAY} >= ?1
         ORDER BY ${DAY} LIMIT 1)
       UNION ALL SELECT * FROM (SELECT day FROM daily_totals WHERE day >= ?1 ORDER BY day LIMIT 1))`,
    from,
  );
  return found?.day != null && `${found.day}${MIDNIGHT}` < to ? found.day : undefined;
}

/** The day as one range, or as several of equal length when it has many tasks. */
function partsOf(
  db: Database,
  day: string,
  { query, dayTasks }: { readonly query: Range; readonly dayTasks: number },
): readonly Range[] {
  const sql = `SELECT count(*) AS tasks FROM tasks INDEXED BY tasks_figures WHERE counted = 0 AND ${DAY} = ?`;
  const tasks = db.get<{ tasks: number }>(sql, day)?.tasks ?? 0;
  const parts = Math.min(PARTS, Math.max(1, Math.ceil(tasks / dayTasks)));
  const startMs = Date.parse(`${day}${MIDNIGHT}`);
  const moment = (part: number): string => isoTime(startMs + Math.floor((part * DAY_MS) / parts));
  return Array.from({ length: parts }, (_, part) => ({
    from: part === 0 ? query.from : later(query.from, moment(part)),
    to: part === parts - 1 ? query.to : earlier(query.to, moment(part + 1)),
  }));
}

function readPart(db: Database, day: string, { from, to }: Range): DayPart {
  db.beginRead();
  try {
    const live = db.all<LiveRow>(
      `SELECT status, source, assigned_agent AS agent, model, count(*) AS runs, sum(cost_usd) AS cost_usd,
         sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sum(cache_read_tokens) AS cache_read_tokens,
         sum(cache_creation_tokens) AS cache_creation_tokens, sum(${linesOf('ended_lines', 'last_seq')}) AS lines,
         sum(${linesOf('ended_errors', 'error')}) AS errors, gathered(duration_seconds) AS durations,
         max(cost_usd) AS peak_usd
       FROM tasks INDEXED BY tasks_figures WHERE ${WITHIN} GROUP BY status, source, assigned_agent, model`,
      ...[day, from, to],
    );
    return {
      live: live.map((row) => ({ row: liveFigures(day, row), peakUsd: row.peak_usd ?? 0 })),
      totals: totalsOf(db, day),
    };
  } finally {
    db.endRead();
  }
}

interface LiveRow extends Omit<FigureColumns, 'day'> {
  readonly durations: Uint8Array;
  readonly peak_usd: number | null;
}

function liveFigures(day: string, row: LiveRow): FigureRow {
  return figureRow({ ...row, day }, { durations: doublesOf(row.durations), buckets: {} });
}

function doublesOf(bytes: Uint8Array): Float64Array {
  const aligned = bytes.byteOffset % Float64Array.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / Float64Array.BYTES_PER_ELEMENT);
}
