import { setImmediate as nextTurn } from 'node:timers/promises';
import { isFalse } from '../../core/expr.ts';
import { BLOCK_LINES } from '../../core/limits.ts';
import { PatternCount, type Patterns, type PatternsQuery } from '../../core/patterns.ts';
import { filterExpr } from '../../core/predicate.ts';
import type { Scope } from '../../core/search.ts';
import { isoTime } from '../../core/time.ts';
import type { Database } from './database.ts';
import { Scan, type Tables } from './scan.ts';
import { scanned, TASK_SELECT, type TaskRow } from './task-row.ts';

/** A task and when its last line was. */
interface Candidate {
  readonly task_no: number;
  readonly last_at: string;
}

/** Others get their turn after so long. */
const TURN_MS = 5;

/**
 * Count matching lines by pattern: the tasks with the newest lines first, each from its newest block on, in short reads. When the
 * time is up, what was not looked at is older than `scannedFrom`.
 */
export async function patternsOf(tables: Tables, query: PatternsQuery, signal?: AbortSignal): Promise<Patterns> {
  const walk = new PatternWalk(tables, query, signal);
  const tasks = candidates(tables.db, query);
  for (const [place, { task_no: taskNo }] of tasks.entries()) {
    const stopped = await walk.count(taskNo);
    if (!stopped) continue;
    const own = lastUpTo(tables.db, taskNo, stopped.at);
    const next = tasks[place + 1]?.last_at ?? '';
    return walk.found.answer(query.limit, justAfter(own > next ? own : next));
  }
  return walk.found.answer(query.limit);
}

class PatternWalk {
  readonly found = new PatternCount();
  readonly #tables: Tables;
  readonly #query: PatternsQuery;
  readonly #signal: AbortSignal | undefined;
  readonly #endMs: number;
  #turnMs = performance.now();
  #started = false;

  constructor(tables: Tables, query: PatternsQuery, signal: AbortSignal | undefined) {
    this.#tables = tables;
    this.#query = query;
    this.#signal = signal;
    this.#endMs = this.#turnMs + query.budgetMs;
  }

  /** Count a task's lines, the newest first. When the time is up before its end: the greatest seq that was not looked at. */
  async count(taskNo: number): Promise<{ readonly at: number } | undefined> {
    const row = this.#tables.db.get<TaskRow>(`${TASK_SELECT} WHERE task_no = ?`, taskNo);
    // It was deleted meanwhile.
    if (!row) return undefined;
    if (await this.#over()) return { at: row.last_seq };
    const task = scanned(row);
    if (isFalse(filterExpr(this.#query.filter, task.facts))) return undefined;
    const scan = new Scan(this.#tables, task, this.#query.filter);
    for (const { firstSeq, lastSeq, atMost } of scan.blocks(1, row.last_seq, 'desc')) {
      if (atMost === 0) continue;
      for (let to = lastSeq; to >= firstSeq; to = (scan.stoppedAt ?? firstSeq) - 1) {
        if (await this.#over()) return { at: to };
        for (const { seq, timestamp, facet_no: facetNo, message } of scan.lines(firstSeq, to, 'desc')) {
          const { level, source } = this.#tables.facets.facet(facetNo);
          this.found.add({ taskId: row.task_id, seq, timestamp, level, source, message });
        }
        this.#started = true;
      }
    }
    return undefined;
  }

  /** Let others have their turn. True when the time is up; the first read is always made. */
  async #over(): Promise<boolean> {
    this.#signal?.throwIfAborted();
    const nowMs = performance.now();
    if (nowMs - this.#turnMs > TURN_MS) {
      await nextTurn();
      this.#signal?.throwIfAborted();
      this.#turnMs = performance.now();
    }
    return this.#started && nowMs >= this.#endMs;
  }
}

function candidates(db: Database, { filter, tasks }: Scope): readonly Candidate[] {
  const among = tasks ? 'AND task_id IN (SELECT value FROM json_each(?))' : '';
  return db.all<Candidate>(
    `SELECT task_no, last_at FROM trails JOIN tasks USING (task_no)
     WHERE last_at >= ? ${among} ORDER BY last_at DESC, task_no DESC`,
    ...[filter.from ?? '', ...(tasks ? [JSON.stringify(tasks)] : [])],
  );
}

/** The latest moment of a line up to this one, or of one close behind it. */
function lastUpTo(db: Database, taskNo: number, seq: number): string {
  const row = db.get<{ last_at: string | null }>(
    'SELECT max(last_at) AS last_at FROM blocks WHERE task_no = ? AND block_no <= ?',
    ...[taskNo, Math.floor((seq - 1) / BLOCK_LINES)],
  );
  return row?.last_at ?? '';
}

function justAfter(timestamp: string): string {
  return isoTime(Date.parse(timestamp) + 1);
}
