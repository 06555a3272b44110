import { type Fault, TrailError } from '../../core/error.ts';
import { type Expr, hasTerm } from '../../core/expr.ts';
import type { LogFilter, Query } from '../../core/filter.ts';
import { type Reading, readQuery } from '../../query/parser.ts';
import { printExpr } from '../../query/print.ts';

/** What is to be said of a query: where, and what. */
export interface QueryNote {
  readonly text: string;
  readonly fault: Fault;
  /** A hint is about a query that is understood. */
  readonly kind: 'fault' | 'hint';
}

interface ReadText {
  /** Undefined for an empty text, and for one with a fault. */
  readonly query?: Query;
  readonly note?: QueryNote;
}

/**
 * Read what stands in a search box. The server reads it again: it alone knows whether a pattern is one, and what time it is. Here all
 * times count from the same moment, so that equal texts are equal queries.
 */
export function readText(text: string, of: Reading['of']): ReadText {
  try {
    const read = readQuery(text, { nowMs: performance.timeOrigin, of });
    const [hint] = read?.hints ?? [];
    return {
      ...(read && { query: { text, expr: read.expr } }),
      ...(hint && { note: { text, fault: hint, kind: 'hint' } }),
    };
  } catch (error) {
    const note = noteOf(text, error instanceof TrailError ? error.errors : undefined);
    if (note === undefined) throw error;
    return { note };
  }
}

/** The first fault that has a place in the text. */
export function noteOf(text: string, faults: readonly Fault[] | undefined): QueryNote | undefined {
  const fault = faults?.find(({ column }) => column !== undefined);
  return fault && { text, fault, kind: 'fault' };
}

export function hasPattern(expr: Expr): boolean {
  return hasTerm(expr, ({ op }) => op === 'regex');
}

/** What a filter says about texts, as one query. */
export function queryText({ search, regex, query }: LogFilter): string {
  if (search === undefined) return query?.text ?? '';
  const words = printExpr(regex ? { op: 'regex', pattern: search } : { op: 'text', text: search });
  return query ? `${words} (${query.text})` : words;
}

/** The filter with another query in place of all that it says about texts. */
export function withQuery(filter: LogFilter, query: Query | undefined): LogFilter {
  const { search: _, regex: __, query: ___, ...rest } = filter;
  return query ? { ...rest, query } : rest;
}

/** The texts that a line has because the filter asks for them: what is to be marked in it. */
export function searchedTexts({ search, regex, query }: LogFilter): readonly string[] {
  const words = search === undefined || regex ? [] : [search];
  return [...new Set([...words, ...(query ? textsIn(query.expr, false) : [])])];
}

function textsIn(expr: Expr, negated: boolean): readonly string[] {
  if (expr.op === 'not') return textsIn(expr.part, !negated);
  if (expr.op === 'all' || expr.op === 'any') return expr.parts.flatMap((part) => textsIn(part, negated));
  return expr.op === 'text' && !negated ? [expr.text] : [];
}

/** The text of a note in three parts: the one it is about, and what stands before and behind it. */
export function notedParts({ text, fault: { column = 1, length = 1 } }: QueryNote): readonly [string, string, string] {
  const [from, to] = [column - 1, column - 1 + length];
  const [before, after] = [text.slice(0, from), text.slice(to)];
  const start = before.length > LEAD_CHARS ? `…${before.slice(-LEAD_CHARS)}` : before;
  return [
    start.toWellFormed(),
    text.slice(from, to).slice(0, LEAD_CHARS).toWellFormed(),
    after.slice(0, LEAD_CHARS).toWellFormed(),
  ];
}

/** Characters on either side of the part that a note is about. */
const LEAD_CHARS = 60;
