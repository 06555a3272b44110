import type { Draft } from '../../core/entry.ts';
import { BLOCK_LINES, OPEN_FILTERS } from '../../core/limits.ts';
import type { Database } from './database.ts';
import { TextFilter } from './text-filter.ts';

/** What a filter takes up beside its bytes. */
const ROW_BYTES = 20;
/** Blocks of a task at most, as far as numbers of filters go: 17 billion lines. */
export const TASK_FILTERS = 2 ** 24;

/** The filter of one block up to a line of it. */
export interface Filtered {
  readonly taskNo: number;
  readonly toSeq: number;
  readonly data: Uint8Array;
}

interface Open {
  readonly filter: TextFilter;
  /** The seq that the next line must have. */
  next: number;
}

/**
 * The filters of blocks that are being filled, in memory until the block is full or its task ends. Only a block whose every line
 * came by here has one; what other processes or an earlier start put in is filtered later, from the lines (see filling.ts).
 */
export class OpenFilters {
  readonly #db: Database;
  /** By task, the one used longest ago first. */
  readonly #open = new Map<number, Open>();
  readonly #ended = new Set<number>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Inside a write transaction: lines that were just put at the end of a task. */
  add(taskNo: number, firstSeq: number, drafts: readonly Draft[]): void {
    let open = this.#open.get(taskNo);
    this.#open.delete(taskNo);
    // Another process put lines between, or a commit failed.
    if (open?.next !== firstSeq) open = undefined;
    let seq = firstSeq;
    for (const { message } of drafts) {
      if ((seq - 1) % BLOCK_LINES === 0) open = { filter: new TextFilter(), next: seq };
      open?.filter.add(message);
      if (seq % BLOCK_LINES === 0 && open) {
        putFilter(this.#db, { taskNo, toSeq: seq, data: open.filter.packed() });
        open = undefined;
      }
      seq += 1;
    }
    if (!open) return;
    open.next = seq;
    this.#open.set(taskNo, open);
    const [oldest] = this.#open;
    if (this.#open.size > OPEN_FILTERS && oldest) this.#write(...oldest);
  }

  /** The task has ended: what it holds is written with this transaction, with the lines that are still to come in it. */
  ended(taskNo: number): void {
    this.#ended.add(taskNo);
  }

  /** At the end of a write transaction. */
  settle(): void {
    for (const taskNo of this.#ended) {
      const open = this.#open.get(taskNo);
      if (open) this.#write(taskNo, open);
    }
    this.#ended.clear();
  }

  /** Forget what a rolled-back transaction put in. */
  forget(): void {
    this.#open.clear();
    this.#ended.clear();
  }

  #write(taskNo: number, { filter, next }: Open): void {
    this.#open.delete(taskNo);
    putFilter(this.#db, { taskNo, toSeq: next - 1, data: filter.packed() });
  }
}

/** The number of the filter of the block that a line lies in. */
export function filterNo(taskNo: number, seq: number): number {
  return taskNo * TASK_FILTERS + Math.floor((seq - 1) / BLOCK_LINES);
}

/** Inside a write transaction: keep a filter, unless its task is gone or it tells less than the one that is there. */
export function putFilter(db: Database, { taskNo, toSeq, data }: Filtered): void {
  const number = filterNo(taskNo, toSeq);
  const known = db.get<{ to_seq: number; bytes: number }>(
    'SELECT to_seq, length(data) AS bytes FROM block_filters WHERE filter_no = ?',
    number,
  );
  if (!db.get('SELECT 1 FROM trails WHERE task_no = ?', taskNo)) return;
  const before = toSeq - 1 - ((toSeq - 1) % BLOCK_LINES);
  const better = !known || known.to_seq < toSeq;
  if (better) db.run('INSERT OR REPLACE INTO block_filters VALUES (?, ?, ?)', number, toSeq, data);
  db.run(
    'UPDATE trails SET bytes = bytes + ?, filtered = iif(filtered >= ?, max(filtered, ?), filtered) WHERE task_no = ?',
    better ? data.length + (known ? -known.bytes : ROW_BYTES) : 0,
    ...[before, better ? toSeq : known.to_seq, taskNo],
  );
}

/** Inside a write transaction: forget all filters. Answers how many blocks there are. */
export function dropFilters(db: Database): number {
  db.run(
    `UPDATE trails SET filtered = 0, bytes = max(0, bytes - (SELECT coalesce(sum(length(data) + ${ROW_BYTES}), 0) FROM block_filters
       WHERE filter_no BETWEEN trails.task_no * ${TASK_FILTERS} AND trails.task_no * ${TASK_FILTERS} + ${TASK_FILTERS - 1}))`,
  );
  db.run('DELETE FROM block_filters');
  return db.get<{ blocks: number }>('SELECT count(*) AS blocks FROM blocks JOIN trails USING (task_no)')?.blocks ?? 0;
}
