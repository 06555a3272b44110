import type { SQLInputValue } from 'node:sqlite';
import type { LogFilter } from '../../core/filter.ts';
import { BLOCK_LINES, LOOK_CHARS } from '../../core/limits.ts';
import { messagePredicate } from '../../core/predicate.ts';
import type { Order } from '../../core/query.ts';
import type { Chunk, LineRow } from './chunk.ts';
import type { Chunks } from './chunks.ts';
import type { Database } from './database.ts';
import type { Facets } from './facets.ts';

/** What lines are read from. */
export interface Tables {
  readonly db: Database;
  readonly facets: Facets;
  readonly chunks: Chunks;
}

/** One block of a task with what a filter makes of its summary. */
export interface Block {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** Lines by facet, only facets that pass. */
  readonly counts: ReadonlyMap<number, number>;
  /** Lines whose facet passes: at most these match. */
  readonly atMost: number;
  /** The summary alone is the answer: all of them match. */
  readonly whole: boolean;
}

interface BlockRow {
  block_no: number;
  first_at: string;
  last_at: string;
  facets_json: string;
}

/** Block rows one query takes: a short read, and few enough to stop early. */
const BLOCK_ROWS = 256;

/**
 * A filter made ready for one task: the summary of a block says whether to look into it; SQL then narrows by columns, and the
 * same predicate as everywhere else has the last word on the message. SQL may let too much pass, never too little.
 * Lines lie in chunks while they are compressed, else in the table `lines`; nobody above this class sees which.
 */
export class Scan {
  readonly facets: ReadonlySet<number> | undefined;
  readonly #db: Database;
  readonly #chunks: Chunks;
  readonly #taskNo: number;
  readonly #filter: LogFilter;
  readonly #matches: ((message: string) => boolean) | undefined;
  readonly #sql: string;
  readonly #values: readonly SQLInputValue[];
  #looked = 0;

  constructor({ db, facets, chunks }: Tables, { taskNo, filter }: { taskNo: number; filter: LogFilter }) {
    this.#db = db;
    this.#chunks = chunks;
    this.#taskNo = taskNo;
    this.#filter = filter;
    this.facets = facets.matching(taskNo, filter);
    this.#matches = filter.search === undefined ? undefined : messagePredicate(filter);
    const { sql, values } = this.#conditions();
    this.#sql = sql;
    this.#values = values;
  }

  /** Summaries of the blocks from one seq to another, in order; blocks that cannot hold a match have `atMost` 0. */
  *blocks(from: number, to: number, order: Order): Generator<Block> {
    const step = order === 'asc' ? 1 : -1;
    let blockNo = blockOf(order === 'asc' ? from : to);
    const last = blockOf(order === 'asc' ? to : from);
    while ((last - blockNo) * step >= 0) {
      const bounds = order === 'asc' ? ([blockNo, last] as const) : ([last, blockNo] as const);
      const rows = this.#db.all<BlockRow>(
        `SELECT block_no, first_at, last_at, facets_json FROM blocks
         WHERE task_no = ? AND block_no BETWEEN ? AND ? ORDER BY block_no ${order} LIMIT ?`,
        ...[this.#taskNo, ...bounds, BLOCK_ROWS],
      );
      for (const row of rows) yield this.#block(row);
      const end = rows.at(-1);
      if (!end) return;
      blockNo = end.block_no + step;
    }
  }

  /** Where the last `lines` stopped before its end, because it had looked at enough. */
  stoppedAt: number | undefined;

  /** The matching lines from one seq to another, in order; about `LOOK_CHARS` of text are looked at. */
  *lines(from: number, to: number, order: Order): Generator<LineRow> {
    this.stoppedAt = undefined;
    this.#looked = 0;
    // One snapshot of both places: a line that is compressed meanwhile is found, and found once.
    this.#db.beginRead();
    try {
      // All that is compressed comes before all that is not.
      const places = [this.#compressed(from, to, order), this.#plain(from, to, order)];
      for (const place of order === 'asc' ? places : places.reverse()) {
        for (const row of place) if (this.#matches === undefined || this.#matches(row.message)) yield row;
        if (this.stoppedAt !== undefined) return;
      }
    } finally {
      this.#db.endRead();
    }
  }

  *#plain(from: number, to: number, order: Order): Generator<LineRow> {
    const sql = `SELECT seq, timestamp, facet_no, message, metadata_json FROM lines
       WHERE task_no = ? AND seq BETWEEN ? AND ?${this.#sql} ORDER BY seq ${order}`;
    // Row by row: lines may be long, and a reader that has enough takes no more.
    for (const row of this.#db.iterate<LineRow>(sql, this.#taskNo, from, to, ...this.#values)) {
      yield row;
      if (this.#enough(row.message.length, row.seq)) return;
    }
  }

  *#compressed(from: number, to: number, order: Order): Generator<LineRow> {
    const { search, regex } = this.#filter;
    const folded = regex ? undefined : search?.toLowerCase();
    for (const chunk of this.#chunks.between(this.#taskNo, from, to, order)) {
      const first = Math.max(from, chunk.firstSeq);
      const last = Math.min(to, chunk.lastSeq);
      if (folded === undefined || chunk.mayHold(folded)) yield* this.#linesOf(chunk, { first, last, order });
      if (this.#enough(chunk.chars, order === 'asc' ? last : first)) return;
    }
  }

  *#linesOf(chunk: Chunk, { first, last, order }: { first: number; last: number; order: Order }): Generator<LineRow> {
    const { from, to } = this.#filter;
    const step = order === 'asc' ? 1 : -1;
    const start = order === 'asc' ? first : last;
    for (let seq = start; seq >= first && seq <= last; seq += step) {
      const row = chunk.lines[seq - chunk.firstSeq];
      const passes =
        row &&
        (this.facets === undefined || this.facets.has(row.facet_no)) &&
        (from === undefined || row.timestamp >= from) &&
        (to === undefined || row.timestamp < to);
      if (passes) yield row;
    }
  }

  /** Note what was looked at up to a line; true when that is enough for one read. */
  #enough(chars: number, seq: number): boolean {
    this.#looked += chars;
    if (this.#looked < LOOK_CHARS) return false;
    this.stoppedAt = seq;
    return true;
  }

  #block(row: BlockRow): Block {
    const { first_at: firstAt, last_at: lastAt } = row;
    const { from, to } = this.#filter;
    const outside = (from !== undefined && lastAt < from) || (to !== undefined && firstAt >= to);
    const inside = (from === undefined || firstAt >= from) && (to === undefined || lastAt < to);
    const counts = new Map<number, number>();
    let atMost = 0;
    if (!outside) {
      for (const [facetNo, lines] of Object.entries(JSON.parse(row.facets_json) as Record<string, number>)) {
        if (this.facets && !this.facets.has(Number(facetNo))) continue;
        counts.set(Number(facetNo), lines);
        atMost += lines;
      }
    }
    const firstSeq = row.block_no * BLOCK_LINES + 1;
    const lastSeq = firstSeq + BLOCK_LINES - 1;
    return { firstSeq, lastSeq, firstAt, lastAt, counts, atMost, whole: inside && this.#matches === undefined };
  }

  #conditions(): { sql: string; values: SQLInputValue[] } {
    const { from, to, search, regex } = this.#filter;
    const values: SQLInputValue[] = [];
    let sql = '';
    if (this.facets) {
      sql += ' AND facet_no IN (SELECT value FROM json_each(?))';
      values.push(JSON.stringify([...this.facets]));
    }
    if (from !== undefined) {
      sql += ' AND timestamp >= ?';
      values.push(from);
    }
    if (to !== undefined) {
      sql += ' AND timestamp < ?';
      values.push(to);
    }
    if (search !== undefined && !regex) {
      // A line of ASCII only is folded by SQLite as by JavaScript; any other goes to the predicate. Where characters and bytes
      // differ there is more than ASCII (or a NUL, at which `length` stops).
      const folded = search.toLowerCase();
      const mixed = 'length(message) <> octet_length(message)';
      if (isAscii(folded)) {
        sql += ` AND (instr(lower(message), ?) > 0 OR ${mixed})`;
        values.push(folded);
      } else {
        sql += ` AND ${mixed}`;
      }
    }
    return { sql, values };
  }
}

function blockOf(seq: number): number {
  return Math.floor((seq - 1) / BLOCK_LINES);
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII begins with them; NUL is left out on purpose
  return /^[\u0001-\u007f]*$/.test(text);
}
