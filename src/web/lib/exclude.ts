import type { Expr } from '../../core/expr.ts';
import { printExpr } from '../../query/print.ts';
import type { Facet } from './list-view.ts';
import { readText } from './query.ts';

/** The values that a query of tasks leaves out whatever else it asks: `-source:ci`. */
export function excludedIn(q: string, facet: Facet): readonly string[] {
  const expr = readText(q, 'tasks').query?.expr;
  const parts = expr?.op === 'all' ? expr.parts : expr ? [expr] : [];
  return parts.flatMap((part) => (part.op === 'not' && part.part.op === facet ? part.part.values : []));
}

/** The query that leaves this value out too. */
export function withExcluded(q: string, facet: Facet, value: string): string {
  return excludedIn(q, facet).includes(value) ? q : joined(q, `-${termOf(facet, value)}`);
}

/** The query that asks for this value too. */
export function withTerm(q: string, facet: Facet, value: string): string {
  return joined(q, termOf(facet, value));
}

/** The query without the exclusion of this value, where it stands as `withExcluded` writes it. */
export function withoutExcluded(q: string, facet: Facet, value: string): string {
  const term = `-${termOf(facet, value)}`;
  const at = ` ${q} `.indexOf(` ${term} `);
  if (at < 0) return q;
  return `${q.slice(0, at).trimEnd()} ${q.slice(at + term.length).trimStart()}`.trim();
}

function joined(q: string, term: string): string {
  const rest = q.trim();
  const either = readText(rest, 'tasks').query?.expr.op === 'any';
  return [either ? `(${rest})` : rest, term].filter((part) => part !== '').join(' ');
}

function termOf(facet: Facet, value: string): string {
  return printExpr({ op: facet, values: [value] } as Expr);
}
