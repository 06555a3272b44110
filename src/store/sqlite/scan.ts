import type { SQLInputValue } from 'node:sqlite';
import {
  type Expr,
  hasTerm,
  isFalse,
  isTrue,
  judge,
  type Knows,
  settle,
  type TaskFacts,
  type Term,
} from '../../core/expr.ts';
import type { LogFilter } from '../../core/filter.ts';
import { BLOCK_LINES, LOOK_CHARS } from '../../core/limits.ts';
import { filterExpr, lineMatcher } from '../../core/predicate.ts';
import type { Order } from '../../core/query.ts';
import type { Chunk, LineRow } from './chunk.ts';
import type { Chunks } from './chunks.ts';
import type { Database } from './database.ts';
import { type Facets, knowsFacet } from './facets.ts';

/** What lines are read from. */
export interface Tables {
  readonly db: Database;
  readonly facets: Facets;
  readonly chunks: Chunks;
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

interface BlockRow {
  block_no: number;
  first_at: string;
  last_at: string;
  facets_json: string;
}

/** What is left of an expression for the lines of one facet. */
interface Residue {
  readonly expr: Expr;
  readonly matches: ReturnType<typeof lineMatcher>;
}

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
  readonly #taskNo: number;
  readonly #expr: Expr;
  readonly #residues = new Map<number, Residue>();
  readonly #texts: readonly string[];
  readonly #sql: string;
  readonly #values: readonly SQLInputValue[];
  #looked = 0;

  constructor({ db, facets, chunks }: Tables, { taskNo, facts }: Scanned, filter: LogFilter) {
    this.#db = db;
    this.#facets = facets;
    this.#chunks = chunks;
    this.#taskNo = taskNo;
    this.#expr = filterExpr(filter, facts);
    this.#texts = neededTexts(this.#expr);
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
        for (const row of place) if (this.#passes(row)) yield row;
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
    for (const chunk of this.#chunks.between(this.#taskNo, from, to, order)) {
      const first = Math.max(from, chunk.firstSeq);
      const last = Math.min(to, chunk.lastSeq);
      if (this.#texts.every((text) => chunk.mayHold(text))) yield* this.#linesOf(chunk, { first, last, order });
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
    this.#looked += chars;
    if (this.#looked < LOOK_CHARS) return false;
    this.stoppedAt = seq;
    return true;
  }

  #block(row: BlockRow): Block {
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
    return { firstSeq, lastSeq, firstAt, lastAt, counts, atMost, whole, all: whole && atMost === total };
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

  #conditions(): { sql: string; values: SQLInputValue[] } {
    const values: SQLInputValue[] = [];
    let sql = '';
    if (hasTerm(this.#expr, isFacetTerm)) {
      const facets = this.#facets.of(this.#taskNo).filter((number) => !isFalse(this.#residue(number).expr));
      sql += ' AND facet_no IN (SELECT value FROM json_each(?))';
      values.push(JSON.stringify(facets));
    }
    for (const term of needed(this.#expr)) {
      if (term.op !== 'time') continue;
      if (term.from !== undefined) {
        sql += ' AND timestamp >= ?';
        values.push(term.from);
      }
      if (term.to !== undefined) {
        sql += ' AND timestamp < ?';
        values.push(term.to);
      }
    }
    for (const folded of this.#texts) {
      // A line of ASCII only is folded by SQLite as by JavaScript; any other goes to the predicate. Where characters and bytes
      // differ there is more than ASCII (or a NUL, at which `length` stops).
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

/** Terms without which no line matches. */
function needed(expr: Expr): readonly Term[] {
  if (expr.op === 'all') return expr.parts.flatMap(needed);
  return expr.op === 'any' || expr.op === 'not' ? [] : [expr];
}

/** Texts, folded, that every matching message contains. */
function neededTexts(expr: Expr): readonly string[] {
  return needed(expr).flatMap((term) => (term.op === 'text' ? [term.text.toLowerCase()] : []));
}

function isFacetTerm({ op }: Term): boolean {
  return op === 'level' || op === 'source' || op === 'stream' || op === 'type';
}

/** Answers the time terms for lines between two moments, both included. */
function knowsSpan(firstAt: string, lastAt: string): Knows {
  return (term) => {
    if (term.op !== 'time') return undefined;
    const { from, to } = term;
    if ((from !== undefined && lastAt < from) || (to !== undefined && firstAt >= to)) return false;
    return (from === undefined || firstAt >= from) && (to === undefined || lastAt < to) ? true : undefined;
  };
}

function blockOf(seq: number): number {
  return Math.floor((seq - 1) / BLOCK_LINES);
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII begins with them; NUL is left out on purpose
  return /^[\u0001-\u007f]*$/.test(text);
}
