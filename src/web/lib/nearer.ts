import type { Expr } from '../../core/expr.ts';
import { printExpr } from '../../query/print.ts';
import { readText } from './query.ts';

const MOST = 4;

/** Queries that ask for a little less: each without one of the parts that all had to be there. */
export function nearerQueries(q: string): readonly string[] {
  const { query } = readText(q, 'lines');
  if (query?.expr.op !== 'all' || query.expr.parts.length < 2) return [];
  const { parts } = query.expr;
  const fewer = parts.map((_, out): Expr => ({ op: 'all', parts: parts.filter((__, index) => index !== out) }));
  return [...new Set(fewer.map(printExpr))].filter((text) => text !== '').slice(0, MOST);
}

/** The query with a word of it added, or without it when it stands there already. */
export function withTerm(q: string, term: string): string {
  const words = q.split(/\s+/).filter((word) => word !== '');
  return words.includes(term) ? words.filter((word) => word !== term).join(' ') : [q.trim(), term].join(' ').trim();
}

export function hasTermIn(q: string, term: string): boolean {
  return q.split(/\s+/).includes(term);
}
