import type { SQLInputValue } from 'node:sqlite';
import { lineStart, reopenedTask } from '../../core/change.ts';
import type { Draft } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import type { Level } from '../../core/level.ts';
import { KEY_DAYS } from '../../core/limits.ts';
import type { Appended, Batch } from '../../core/ports.ts';
import type { Receipt } from '../../core/query.ts';
import { earlier, isoTime, later } from '../../core/time.ts';
import type { Database } from './database.ts';
import type { Facet, Facets } from './facets.ts';
import type { OpenFilters } from './filters.ts';
import { ROW_BYTES } from './keeping.ts';
import { Tally } from './tally.ts';
import { missing, taskOfRow, taskRow, updateTask } from './task-row.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Rows of one INSERT statement: they share what a call of it costs (measured: 16 rows 1.4 × one, 64 rows 1.5 ×). */
const ROWS = 64;
const COLUMNS = 7;
/** How exactly is known when a task was heard of whose lines are all below its level. */
const HEARD_MS = 60 * 1000;

const row = `(${Array(COLUMNS).fill('?').join(',')})`;
/** Batches of few lines, as of many tasks at once, share it as well: what is left goes in as few statements as these make. */
const INSERTS = [ROWS, 16, 4, 1].map((rows) => ({
  width: rows * COLUMNS,
  sql: `INSERT OR ROLLBACK INTO lines VALUES ${Array(rows).fill(row).join(',')}`,
}));
const SET_ENDED = 'UPDATE tasks SET ended_lines = ?, ended_errors = ? WHERE task_no = ? AND ended_lines IS NOT NULL';

interface TrailRow {
  task_no: number;
  last_seq: number;
  lost: number;
  debug: number;
  info: number;
  warning: number;
  error: number;
  first_at: string | null;
  last_at: string | null;
  last_line: string | null;
  heard_at: string | null;
  vanished: number;
  bytes: number;
  compressed: number;
  /** Null while the task has not ended. */
  ended_lines: number | null;
}

/** The numbers that all appenders share, as they grow within one transaction. */
export interface Numbers {
  entry_id: number;
  revision: number;
  lost: number;
}

/** Tasks whose trail a commit has moved, for the wake-ups after it. */
export type Moved = Map<string, { readonly lastSeq: number; readonly reopened: boolean }>;

/** Store batches inside a write transaction. The fault of one batch is its own result and leaves nothing of it behind. */
export class Appender {
  readonly #db: Database;
  readonly #facets: Facets;
  readonly #filters: OpenFilters;
  readonly #values: SQLInputValue[] = Array.from({ length: ROWS * COLUMNS }, () => null);

  constructor(db: Database, { facets, filters }: { facets: Facets; filters: OpenFilters }) {
    this.#db = db;
    this.#facets = facets;
    this.#filters = filters;
  }

  append(batch: Batch, { numbers, nowMs, moved }: { numbers: Numbers; nowMs: number; moved: Moved }): Appended {
    const trail = this.#trail(batch.taskId);
    if (!trail) return { error: missing(this.#db, batch.taskId, nowMs) };
    const known = batch.key && this.#known(trail.task_no, batch.key, nowMs);
    if (known) return known;
    const { drafts, filtered, lost } = batch;
    const stored = drafts.length > 0;
    const receipt: Receipt = {
      accepted: drafts.length,
      filtered,
      firstSeq: stored ? trail.last_seq + 1 : null,
      lastSeq: stored ? trail.last_seq + drafts.length : null,
    };
    const reopened = trail.vanished > 0 && (stored || lost > 0 || filtered > 0);
    if (reopened) this.#reopen(batch.taskId, nowMs);
    if (stored || lost > 0 || reopened) {
      this.#store(trail, batch, { numbers, nowMs });
      numbers.lost = Math.min(numbers.lost + lost, Number.MAX_SAFE_INTEGER);
      moved.set(batch.taskId, { lastSeq: trail.last_seq, reopened: reopened || isReopened(moved, batch.taskId) });
    } else if (filtered > 0) {
      this.#hear(trail, nowMs);
    }
    if (batch.key) this.#remember(trail.task_no, batch.key, { receipt, nowMs });
    return { receipt };
  }

  /** Inside a write transaction: a task has ended, after the lines of this transaction. */
  ended(taskNo: number): void {
    this.#filters.ended(taskNo);
  }

  #trail(taskId: string): TrailRow | undefined {
    return this.#db.get<TrailRow>(
      'SELECT trails.*, tasks.compressed, tasks.ended_lines FROM tasks JOIN trails USING (task_no) WHERE tasks.task_id = ?',
      taskId,
    );
  }

  /** The reporter that was thought gone is there. */
  #reopen(taskId: string, nowMs: number): void {
    const row = taskRow(this.#db, taskId, nowMs);
    updateTask(this.#db, row, reopenedTask(taskOfRow(row), isoTime(nowMs)));
  }

  #hear({ task_no, heard_at }: TrailRow, nowMs: number): void {
    if (heard_at !== null && heard_at > isoTime(nowMs - HEARD_MS)) return;
    this.#db.run('UPDATE trails SET heard_at = ? WHERE task_no = ?', isoTime(nowMs), task_no);
  }

  #store(trail: TrailRow, { drafts, lost }: Batch, { numbers, nowMs }: { numbers: Numbers; nowMs: number }): void {
    const tally = new Tally(this.#db, trail.task_no, trail.last_seq);
    const { bytes: bytesBefore, last_seq: lastBefore } = trail;
    this.#insert(drafts, { trail, numbers, tally });
    tally.write();
    for (const [number, lines] of tally.total) {
      const level = this.#facets.facet(number).level;
      trail[COLUMN_OF_LEVEL[level]] += lines;
      this.#db.run(
        'INSERT INTO task_facets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET lines = lines + excluded.lines',
        trail.task_no,
        number,
        lines,
      );
    }
    // A late line is a plain one again.
    if (trail.compressed > 0) this.#db.run('UPDATE tasks SET compressed = 0 WHERE task_no = ?', trail.task_no);
    if (trail.ended_lines !== null) this.#db.run(SET_ENDED, trail.last_seq, trail.error, trail.task_no);
    const newest = drafts.at(-1);
    this.#db.run(
      `UPDATE trails SET last_seq = ?, lost = ?, debug = ?, info = ?, warning = ?, error = ?,
         first_at = ?, last_at = ?, heard_at = ?, vanished = 0, bytes = bytes + ?, last_line = ?, revision = ? WHERE task_no = ?`,
      ...[
        trail.last_seq,
        Math.min(trail.lost + lost, Number.MAX_SAFE_INTEGER),
        trail.debug,
        trail.info,
        trail.warning,
        trail.error,
      ],
      tally.firstAt === null ? trail.first_at : earlier(trail.first_at, tally.firstAt),
      tally.lastAt === null ? trail.last_at : later(trail.last_at, tally.lastAt),
      ...[isoTime(nowMs), trail.bytes - bytesBefore],
      ...[newest ? lineStart(newest.message) : trail.last_line, ++numbers.revision, trail.task_no],
    );
    this.#filters.add(trail.task_no, lastBefore + 1, drafts);
  }

  /** Rows go in 64 at a time, the rest in smaller lots. */
  #insert(drafts: readonly Draft[], to: { trail: TrailRow; numbers: Numbers; tally: Tally }): void {
    const { trail, numbers, tally } = to;
    const values = this.#values;
    let filled = 0;
    let last: Facet | undefined;
    let facetNo = 0;
    for (const draft of drafts) {
      // Neighbours mostly share their facet: one look at four references spares the look-up.
      if (!last || !sameFacet(draft, last)) facetNo = this.#facets.numberOf(draft);
      last = draft;
      const seq = ++trail.last_seq;
      tally.add(seq, facetNo, draft.timestamp);
      trail.bytes += ROW_BYTES + draft.message.length + (draft.metadataJson?.length ?? 0);
      values[filled++] = trail.task_no;
      values[filled++] = seq;
      values[filled++] = ++numbers.entry_id;
      values[filled++] = draft.timestamp;
      values[filled++] = facetNo;
      values[filled++] = draft.message;
      values[filled++] = draft.metadataJson;
      if (filled < values.length) continue;
      this.#insertRows(values, filled);
      filled = 0;
    }
    this.#insertRows(values, filled);
    // What was stored is not held.
    values.fill(null, 0, Math.min(values.length, drafts.length * COLUMNS));
  }

  #insertRows(values: readonly SQLInputValue[], filled: number): void {
    let start = 0;
    for (const { width, sql } of INSERTS) {
      for (; filled - start >= width; start += width) {
        this.#db.prepare(sql).run(...(width === values.length ? values : values.slice(start, start + width)));
      }
    }
  }

  #known(taskNo: number, key: { value: string; digest: string }, nowMs: number): Appended | undefined {
    const known = this.#db.get<{
      digest: string;
      accepted: number;
      filtered: number;
      first_seq: number | null;
      last_seq: number | null;
    }>(
      'SELECT * FROM receipts WHERE task_no = ? AND key = ? AND at_ms >= ?',
      taskNo,
      key.value,
      nowMs - KEY_DAYS * DAY_MS,
    );
    if (!known) return undefined;
    if (known.digest === key.digest) {
      const { accepted, filtered, first_seq: firstSeq, last_seq: lastSeq } = known;
      return { receipt: { accepted, filtered, firstSeq, lastSeq } };
    }
    return {
      error: new TrailError(
        'idempotency_mismatch',
        `the idempotency key ${JSON.stringify(key.value)} was used with another body; use a new key for new lines`,
      ),
    };
  }

  #remember(
    taskNo: number,
    key: { value: string; digest: string },
    { receipt, nowMs }: { receipt: Receipt; nowMs: number },
  ): void {
    const { accepted, filtered, firstSeq, lastSeq } = receipt;
    this.#db.run(
      'INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ...[taskNo, key.value, key.digest, accepted, filtered, firstSeq, lastSeq, nowMs],
    );
    // A few of the expired go with each new one, so that the table does not grow with its past.
    this.#db.run(
      `DELETE FROM receipts WHERE (task_no, key) IN (SELECT task_no, key FROM receipts WHERE at_ms < ? LIMIT 4)`,
      nowMs - KEY_DAYS * DAY_MS,
    );
  }
}

const COLUMN_OF_LEVEL = { DEBUG: 'debug', INFO: 'info', WARNING: 'warning', ERROR: 'error' } as const satisfies Record<
  Level,
  string
>;

function isReopened(moved: Moved, taskId: string): boolean {
  return moved.get(taskId)?.reopened ?? false;
}

function sameFacet(a: Facet, b: Facet): boolean {
  return a.level === b.level && a.source === b.source && a.stream === b.stream && a.type === b.type;
}
