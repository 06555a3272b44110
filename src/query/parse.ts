import type { Query } from '../core/filter.ts';
import { compilePattern } from '../core/pattern.ts';
import { type Reading, readQuery } from './parser.ts';

/** Read a query of lines, in the language of `docs/query.md`. Undefined for an empty one. Throws `invalid_query`. */
export function parseQuery(text: string, nowMs: number): Query | undefined {
  return queryOf(text, { nowMs, of: 'lines', faultOf });
}

/** The same of tasks: what only a line can answer is refused. */
export function parseTaskQuery(text: string, nowMs: number): Query | undefined {
  return queryOf(text, { nowMs, of: 'tasks' });
}

function queryOf(text: string, reading: Reading): Query | undefined {
  const read = readQuery(text, reading);
  return read && { text, expr: read.expr };
}

function faultOf(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    const { cause } = error as Error;
    return cause instanceof Error ? cause.message : String(error);
  }
}
