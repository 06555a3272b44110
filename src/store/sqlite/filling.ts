import { BLOCK_LINES } from '../../core/limits.ts';
import { isoTime } from '../../core/time.ts';
import { Chunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { Filtered } from './filters.ts';
import { TextFilter } from './text-filter.ts';

/** A task that gets no line for so long gets a filter of its last, unfilled block. */
const QUIET_MS = 60_000;
/** Trails that one step looks at. */
const TRAILS = 500;

interface TrailRow {
  task_no: number;
  last_seq: number;
  filtered: number;
  heard_at: string | null;
  revision: number;
}

/** Finds blocks without a filter and makes it from their lines: those of an earlier start, or that several processes filled. */
export class Filling {
  readonly #db: Database;
  /** Tasks that changed last at this revision or before need nothing. */
  #revision = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One step, which only reads: the next filter if there is one to make, and whether more may be left. With `all` also of tasks at work. */
  next(nowMs: number, all = false): { readonly filter?: Filtered; readonly more: boolean } {
    const rows = this.#db.all<TrailRow>(
      'SELECT task_no, last_seq, filtered, heard_at, revision FROM trails WHERE revision > ? ORDER BY revision LIMIT ?',
      ...[this.#revision, TRAILS],
    );
    const quietBefore = isoTime(nowMs - QUIET_MS);
    let waitingFrom: number | undefined;
    for (const { task_no: taskNo, last_seq: lastSeq, filtered, heard_at, revision } of rows) {
      if (filtered >= lastSeq) continue;
      const full = lastSeq - (lastSeq % BLOCK_LINES);
      if (filtered < full || all || heard_at === null || heard_at < quietBefore) {
        const blockEnd = filtered - (filtered % BLOCK_LINES) + BLOCK_LINES;
        return { filter: this.#made(taskNo, { toSeq: Math.min(blockEnd, lastSeq), revision }), more: true };
      }
      waitingFrom ??= revision;
    }
    this.#revision = waitingFrom === undefined ? (rows.at(-1)?.revision ?? this.#revision) : waitingFrom - 1;
    return { more: waitingFrom === undefined && rows.length === TRAILS };
  }

  /** Look at all tasks again. */
  restart(): void {
    this.#revision = 0;
  }

  #made(taskNo: number, { toSeq, revision }: { toSeq: number; revision: number }): Filtered {
    try {
      return filterOf(this.#db, taskNo, toSeq);
    } catch (error) {
      // Lines that cannot be read must not keep others from being filtered.
      this.#revision = revision;
      throw error;
    }
  }
}

/** The filter of the block that a line lies in, up to that line. */
export function filterOf(db: Database, taskNo: number, toSeq: number): Filtered {
  const from = toSeq - ((toSeq - 1) % BLOCK_LINES);
  const filter = new TextFilter();
  // One snapshot: a line that is compressed meanwhile is found.
  db.beginRead();
  try {
    for (const { lines } of new Chunks(db).between(taskNo, from, toSeq, 'asc')) {
      for (const { seq, message } of lines) if (seq >= from && seq <= toSeq) filter.add(message);
    }
    const rows = db.iterate<{ message: string }>(
      'SELECT message FROM lines WHERE task_no = ? AND seq BETWEEN ? AND ?',
      ...[taskNo, from, toSeq],
    );
    for (const { message } of rows) filter.add(message);
  } finally {
    db.endRead();
  }
  return { taskNo, toSeq, data: filter.packed() };
}
