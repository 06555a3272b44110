import type { SQLInputValue } from 'node:sqlite';
import type { Expr, Knows, Term } from '../../core/expr.ts';
import { requiredTexts } from '../../core/literals.ts';

/** Texts of an expression that rows are narrowed by: each costs a look at every row. */
const TEXTS = 4;

/** Conditions on rows of `lines`, each after an AND. They may let too much pass, never too little. */
export function linesSql(expr: Expr, facets: readonly number[] | undefined) {
  const values: SQLInputValue[] = [];
  let sql = '';
  if (facets) {
    sql += ' AND facet_no IN (SELECT value FROM json_each(?))';
    values.push(JSON.stringify(facets));
  }
  for (const term of needed(expr)) {
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
  for (const folded of neededTexts(expr)) {
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

/** Texts, folded, that every matching message contains. */
export function neededTexts(expr: Expr): readonly string[] {
  return needed(expr)
    .flatMap((term) => {
      if (term.op === 'regex') return requiredTexts(term.pattern);
      return term.op === 'text' ? [term.text.toLowerCase()] : [];
    })
    .sort((a, b) => b.length - a.length)
    .slice(0, TEXTS);
}

/** Terms without which no line matches. */
export function needed(expr: Expr): readonly Term[] {
  if (expr.op === 'all') return expr.parts.flatMap(needed);
  return expr.op === 'any' || expr.op === 'not' ? [] : [expr];
}

/** Answers the time terms for lines between two moments, both included. */
export function knowsSpan(firstAt: string, lastAt: string): Knows {
  return (term) => {
    if (term.op !== 'time') return undefined;
    const { from, to } = term;
    if ((from !== undefined && lastAt < from) || (to !== undefined && firstAt >= to)) return false;
    return (from === undefined || firstAt >= from) && (to === undefined || lastAt < to) ? true : undefined;
  };
}

/** Folded by SQLite's own `lower` as by JavaScript. */
export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII begins with them; NUL is left out on purpose
  return /^[\u0001-\u007f]*$/.test(text);
}
