import { type Expr, settle, type Term } from '../core/expr.ts';
import { selfEvident } from './parser.ts';

/** Texts that need no quotes. */
const PLAIN = /^[\p{L}\p{N}_.][\p{L}\p{N}_.-]*$/u;
const PLAIN_VALUE = /^[\p{L}\p{N}_.+:-]+$/u;
const KEYWORD = /^(?:AND|OR|NOT)$/;

/**
 * An expression as the text of a query that says the same; empty for one that everything fulfils. A query read from it is equal to it,
 * but for what says the same in two ways: `selfEvident` terms, and both bounds of a time in one term.
 */
export function printExpr(expr: Expr): string {
  const settled = settle(expr, selfEvident);
  return settled.op === 'all' ? printParts(settled.parts, ' ') : print(settled);
}

function print(expr: Expr): string {
  if (expr.op === 'not') return `-${inParentheses(expr.part)}`;
  if (expr.op === 'all') return printParts(expr.parts, ' ');
  // No level is above the highest.
  if (expr.op === 'any') return expr.parts.length === 0 ? 'level>error' : printParts(expr.parts, ' OR ');
  return printTerm(expr);
}

function printParts(parts: readonly Expr[], glue: string): string {
  return parts.map(inParentheses).join(glue);
}

function inParentheses(expr: Expr): string {
  const several = expr.op === 'all' || expr.op === 'any' || (expr.op === 'time' && expr.from && expr.to);
  return several ? `(${print(expr)})` : print(expr);
}

function printTerm(term: Term): string {
  switch (term.op) {
    case 'text':
      return PLAIN.test(term.text) && !KEYWORD.test(term.text) ? term.text : quoted(term.text);
    case 'regex':
      return `/${term.pattern.replaceAll(/\\[\s\S]|\//g, (part) => (part === '/' ? '\\/' : part))}/`;
    case 'time': {
      const { from, to } = term;
      return [from && `after:${from}`, to && `before:${to}`].filter(Boolean).join(' ');
    }
    case 'cost':
      return `cost${term.test}${term.value}`;
    case 'dur':
      return `dur${term.test}${term.value}s`;
    case 'meta': {
      const path = PLAIN.test(term.path) ? term.path : quoted(term.path);
      const value = term.value === '*' ? '*' : printValue(term.value);
      return `meta.${path}${term.test === '=' ? ':' : term.test}${value}`;
    }
    default:
      return `${term.op}:${term.values.map((value) => printValue(value.toString())).join(',')}`;
  }
}

function printValue(value: string): string {
  return PLAIN_VALUE.test(value) ? value : quoted(value);
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
