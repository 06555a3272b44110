import { BLOCK_LINES } from '../../core/limits.ts';
import { earlier, later } from '../../core/time.ts';
import { reachOf } from './block-time.ts';
import type { Database } from './database.ts';

interface Stored {
  first_at: string;
  last_at: string;
  facets_json: string;
  span: number;
  until: number;
  sorted: number;
}

/** Counts of the lines of one batch: for the task as a whole, and written to each block they fall into. */
export class Tally {
  readonly total = new Map<number, number>();
  firstAt: string | null = null;
  lastAt: string | null = null;
  readonly #db: Database;
  readonly #taskNo: number;
  #blockNo: number;
  #block = emptyBlock();

  constructor(db: Database, taskNo: number, lastSeq: number) {
    this.#db = db;
    this.#taskNo = taskNo;
    this.#blockNo = Math.floor(lastSeq / BLOCK_LINES);
  }

  add(seq: number, facetNo: number, timestamp: string): void {
    const blockNo = Math.floor((seq - 1) / BLOCK_LINES);
    if (blockNo !== this.#blockNo) {
      this.write();
      this.#blockNo = blockNo;
    }
    const block = this.#block;
    block.counts.set(facetNo, (block.counts.get(facetNo) ?? 0) + 1);
    if (block.firstAt === null || timestamp < block.firstAt) block.firstAt = timestamp;
    if (block.lastAt === null || timestamp >= block.lastAt) block.lastAt = timestamp;
    else block.sorted = false;
  }

  /** Merge what was counted into the block's row. */
  write(): void {
    const { counts, firstAt, lastAt, sorted } = this.#block;
    if (firstAt === null || lastAt === null) return;
    this.#block = emptyBlock();
    for (const [facetNo, lines] of counts) this.total.set(facetNo, (this.total.get(facetNo) ?? 0) + lines);
    this.firstAt = earlier(this.firstAt, firstAt);
    this.lastAt = later(this.lastAt, lastAt);
    const stored = this.#db.get<Stored>(
      'SELECT first_at, last_at, facets_json, span, until, sorted FROM blocks WHERE task_no = ? AND block_no = ?',
      ...[this.#taskNo, this.#blockNo],
    );
    for (const [facetNo, lines] of Object.entries(JSON.parse(stored?.facets_json ?? '{}') as Record<string, number>)) {
      counts.set(Number(facetNo), (counts.get(Number(facetNo)) ?? 0) + lines);
    }
    const first = earlier(stored?.first_at ?? null, firstAt);
    const last = later(stored?.last_at ?? null, lastAt);
    const stillSorted = sorted && (!stored || (stored.sorted === 1 && firstAt >= stored.last_at));
    const row = [first, last, JSON.stringify(Object.fromEntries(counts)), stillSorted ? 1 : 0] as const;
    const { span, until } = reachOf(first, last);
    const key = [this.#taskNo, this.#blockNo];
    if (!stored) {
      this.#db.run(
        `INSERT INTO blocks (first_at, last_at, facets_json, sorted, span, until, task_no, block_no)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ...row,
        ...[span, until, ...key],
      );
      return;
    }
    // An index whose columns are not named is left alone.
    const moved = span !== stored.span || until !== stored.until;
    this.#db.run(
      `UPDATE blocks SET first_at = ?, last_at = ?, facets_json = ?, sorted = ? ${moved ? ', span = ?, until = ?' : ''}
       WHERE task_no = ? AND block_no = ?`,
      ...row,
      ...(moved ? [span, until] : []),
      ...key,
    );
  }
}

interface Counted {
  firstAt: string | null;
  lastAt: string | null;
  sorted: boolean;
  readonly counts: Map<number, number>;
}

function emptyBlock(): Counted {
  return { firstAt: null, lastAt: null, sorted: true, counts: new Map() };
}
