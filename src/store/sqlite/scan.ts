import type { SQLInputValue } from 'node:sqlite';
import { type Expr, hasTerm, isFalse, isTrue, judge, settle, type TaskFacts, type Term } from '../../core/expr.ts';
import type { LogFilter } from '../../core/filter.ts';
import { BLOCK_LINES, LOOK_CHARS } from '../../core/limits.ts';
import { filterExpr, lineMatcher } from '../../core/predicate.ts';
import type { Order } from '../../core/query.ts';
import type { Chunk, LineRow } from './chunk.ts';
import type { Chunks } from './chunks.ts';
import type { Database } from './database.ts';
import { type Facets, knowsFacet } from './facets.ts';
import { type Filtering, filtering } from './filter-sql.ts';
import { knowsSpan, linesSql, neededTexts } from './line-sql.ts';
import type { Looked } from './looked.ts';

/** What lines are read from. */
export interface Tables {
  readonly db: Database;
  readonly facets: Facets;
  readonly chunks: Chunks;
  readonly looked: Looked;
}

/** A task whose lines are read. */
export interface Scanned {
  readonly taskNo: number;
  readonly facts: TaskFacts;
}

/** One block of a task with what a filter makes of its summary. */
export interface Block {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Lines in it, whether they match or not. */
  readonly lines: number;
  /** The first line that may match, as far as the block's text filter tells. */
  readonly lookFrom: number;
  /** No line is older than the one before it. */
  readonly sorted: boolean;
  readonly firstAt: string;
  readonly lastAt: string;
  /** Lines by facet, only facets that may match. */
  readonly counts: ReadonlyMap<number, number>;
  /** Lines whose facet may match: at most these do. */
  readonly atMost: number;
  /** The summary alone is the answer: all of them match. */
  readonly whole: boolean;
  /** Every line of the block matches. */
  readonly all: boolean;
}

export interface BlockRow {
  block_no: number;
  first_at: string;
  last_at: string;
  facets_json: string;
  sorted: number;
  /** No line up to this seq can match. */
  clear_to: number;
}

/** What is left of an expression for the lines of one facet. */
interface Residue {
  readonly expr: Expr;
  readonly matches: ReturnType<typeof lineMatcher>;
}

/** A pattern may take long for each character: one read stops after the line in which so much time was over. */
const LOOK_MS = 200;
/** Block rows one query takes: a short read, and few enough to stop early. */
const BLOCK_ROWS = 256;

/**
 * A filter made ready for one task: the summary of a block says whether to look into it; SQL then narrows by columns, and the
 * same predicate as everywhere else has the last word on each line. SQL may let too much pass, never too little.
 * Lines lie in chunks while they are compressed, else in the table `lines`; nobody above this class sees which.
 */
export class Scan {
  readonly #db: Database;
  readonly #facets: Facets;
  readonly #chunks: Chunks;
  readonly #looked: Looked;
  readonly #taskNo: number;
  readonly #expr: Expr;
  readonly #residues = new Map<number, Residue>();
  readonly #texts: readonly string[];
  #filtering: Filtering | undefined;
  readonly #sql: string;
  readonly #values: readonly SQLInputValue[];
  readonly #key: string;
  #chars = 0;

  constructor({ db, facets, chunks, looked }: Tables, { taskNo, facts }: Scanned, filter: LogFilter) {
    this.#db = db;
    this.#facets = facets;
    this.#chunks = chunks;
    this.#looked = looked;
    this.#taskNo = taskNo;
    this.#expr = filterExpr(filter, facts);
    this.#key = `${taskNo} ${JSON.stringify(this.#expr)}`;
    this.#texts = neededTexts(this.#expr);
    const narrowing = hasTerm(this.#expr, isFacetTerm);
    const mayMatch = (number: number): boolean => !isFalse(this.#residue(number).expr);
    const { sql, values } = linesSql(this.#expr, narrowing ? facets.of(taskNo).filter(mayMatch) : undefined);
    this.#sql = sql;
    this.#values = values;
  }

  /** Summaries of the blocks from one seq to another, in order; blocks that cannot hold a match have `atMost` 0. */
  *blocks(from: number, to: number, order: Order): Generator<Block> {
    this.#filtering ??= filtering(this.#expr);
    const { clear, join } = this.#filtering;
    const step = order === 'asc' ? 1 : -1;
    let blockNo = blockOf(order === 'asc' ? from : to);
    const last = blockOf(order === 'asc' ? to : from);
    while ((last - blockNo) * step >= 0) {
      const bounds = order === 'asc' ? ([blockNo, last] as const) : ([last, blockNo] as const);
      const rows = this.#db.all<BlockRow>(
        `SELECT block_no, first_at, last_at, facets_json, sorted, ${clear.sql} AS clear_to FROM blocks k ${join}
         WHERE task_no = ? AND block_no BETWEEN ? AND ? ORDER BY block_no ${order} LIMIT ?`,
        ...clear.values,
        ...[this.#taskNo, ...bounds, BLOCK_ROWS],
      );
      for (const row of rows) yield this.block(row);
      const end = rows.at(-1);
      if (!end) return;
      blockNo = end.block_no + step;
    }
  }

  /** How many lines of a full block match, where that is known. */
  matchesIn(block: Block): number | undefined {
    return block.whole ? block.atMost : this.#looked.matches(this.#key, blockOf(block.firstSeq));
  }

  /** A full block was looked through. */
  noteMatches({ firstSeq }: Block, matches: number): void {
    this.#looked.note(this.#key, blockOf(firstSeq), matches);
  }

  /** Where the last `lines` stopped before its end, because it had looked at enough. */
  stoppedAt: number | undefined;

  /** The matching lines from one seq to another, in order, none newer than `until`; about `LOOK_CHARS` of text are looked at, or `LOOK_MS`. */
  *lines(from: number, to: number, order: Order, until = '~'): Generator<LineRow> {
    this.stoppedAt = undefined;
    this.#chars = 0;
    const endMs = performance.now() + LOOK_MS;
    // One snapshot of both places: a line that is compressed meanwhile is found, and found once.
    this.#db.beginRead();
    try {
      // All that is compressed comes before all that is not.
      const places = [this.#compressed(from, to, order), this.#plain(from, to, order, until)];
      for (const place of order === 'asc' ? places : places.reverse()) {
        for (const row of place) {
          if (row.timestamp <= until && this.#passes(row)) yield row;
          if (performance.now() < endMs) continue;
          this.stoppedAt = row.seq;
          return;
        }
        if (this.stoppedAt !== undefined) return;
      }
    } finally {
      this.#db.endRead();
    }
  }

  *#plain(from: number, to: number, order: Order, until: string): Generator<LineRow> {
    const sql = `SELECT seq, timestamp, facet_no, message, metadata_json FROM lines
       WHERE task_no = ? AND seq BETWEEN ? AND ? AND timestamp <= ?${this.#sql} ORDER BY seq ${order}`;
    // Row by row: lines may be long, and a reader that has enough takes no more.
    for (const row of this.#db.iterate<LineRow>(sql, this.#taskNo, from, to, until, ...this.#values)) {
      yield row;
      if (this.#enough(row.message.length, row.seq)) return;
    }
  }

  *#compressed(from: number, to: number, order: Order): Generator<LineRow> {
    for (const chunk of this.#chunks.between(this.#taskNo, from, to, order)) {
      const first = Math.max(from, chunk.firstSeq);
      const last = Math.min(to, chunk.lastSeq);
      if (chunk.mayHold(this.#texts)) yield* this.#linesOf(chunk, { first, last, order });
      if (this.#enough(chunk.chars, order === 'asc' ? last : first)) return;
    }
  }

  *#linesOf(chunk: Chunk, { first, last, order }: { first: number; last: number; order: Order }): Generator<LineRow> {
    const step = order === 'asc' ? 1 : -1;
    const start = order === 'asc' ? first : last;
    for (let seq = start; seq >= first && seq <= last; seq += step) {
      const row = chunk.lines[seq - chunk.firstSeq];
      if (row) yield row;
    }
  }

  /** Note what was looked at up to a line; true when that is enough for one read. */
  #enough(chars: number, seq: number): boolean {
    this.#chars += chars;
    if (this.#chars < LOOK_CHARS) return false;
    this.stoppedAt = seq;
    return true;
  }

  /** A block by its row. */
  block(row: BlockRow): Block {
    const { first_at: firstAt, last_at: lastAt } = row;
    const knows = knowsSpan(firstAt, lastAt);
    const counts = new Map<number, number>();
    let total = 0;
    let atMost = 0;
    let whole = true;
    for (const [number, lines] of Object.entries(JSON.parse(row.facets_json) as Record<string, number>)) {
      total += lines;
      const verdict = judge(this.#residue(Number(number)).expr, knows);
      if (verdict === false) continue;
      counts.set(Number(number), lines);
      atMost += lines;
      whole &&= verdict === true;
    }
    const firstSeq = row.block_no * BLOCK_LINES + 1;
    const lastSeq = firstSeq + BLOCK_LINES - 1;
    const lookFrom = Math.max(firstSeq, row.clear_to + 1);
    if (row.clear_to > 0) {
      whole = false;
      atMost = Math.min(atMost, Math.max(0, firstSeq + total - lookFrom));
    }
    return {
      ...{ firstSeq, lastSeq, lines: total, lookFrom, firstAt, lastAt, sorted: row.sorted === 1 },
      ...{ counts, atMost, whole, all: whole && atMost === total },
    };
  }

  #passes({ facet_no: facetNo, timestamp, message, metadata_json: metadataJson }: LineRow): boolean {
    const { expr, matches } = this.#residue(facetNo);
    if (isTrue(expr)) return true;
    const { level, source, stream, type } = this.#facets.facet(facetNo);
    return matches({ timestamp, level, source, stream, type, message, metadataJson });
  }

  #residue(facetNo: number): Residue {
    const known = this.#residues.get(facetNo);
    if (known) return known;
    const expr = settle(this.#expr, knowsFacet(this.#facets.facet(facetNo)));
    const residue = { expr, matches: lineMatcher(expr) };
    this.#residues.set(facetNo, residue);
    return residue;
  }
}

function blockOf(seq: number): number {
  return Math.floor((seq - 1) / BLOCK_LINES);
}

function isFacetTerm({ op }: Term): boolean {
  return op === 'level' || op === 'source' || op === 'stream' || op === 'type';
}
