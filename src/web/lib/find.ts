import type { Expr } from '../../core/expr.ts';
import type { LogFilter } from '../../core/filter.ts';
import type { Span } from '../../core/found.ts';
import { SEARCH_CHARS } from '../../core/limits.ts';
import { printExpr } from '../../query/print.ts';
import type { Finder } from './line.ts';
import { queryText, readText, withQuery } from './query.ts';

/** What is looked for in the lines, as it is typed. */
export interface FindText {
  readonly text: string;
  readonly matchCase: boolean;
  readonly wholeWord: boolean;
  readonly regex: boolean;
  /** Lines that do not match are hidden, but for so many around each that does; null: all lines are shown. */
  readonly only: number | null;
}

export const NO_FIND: FindText = { text: '', matchCase: false, wholeWord: false, regex: false, only: null };
/** Most lines around a match. */
export const CONTEXT_MAX = 50;

const TOGGLES = { matchCase: 'case', wholeWord: 'word', regex: 'regex' } as const;

export function readFind(params: URLSearchParams): FindText | null {
  const text = params.get('find');
  if (text === null || text.length > SEARCH_CHARS) return null;
  const as = params.get('find_as')?.split(',') ?? [];
  const only = params.get('only');
  return {
    text,
    matchCase: as.includes('case'),
    wholeWord: as.includes('word'),
    regex: as.includes('regex'),
    only: only !== null && /^\d{1,2}$/.test(only) ? Math.min(CONTEXT_MAX, Number(only)) : null,
  };
}

export function findParams(find: FindText): Record<string, string> {
  const as = (['matchCase', 'wholeWord', 'regex'] as const).filter((name) => find[name]).map((name) => TOGGLES[name]);
  return {
    find: find.text,
    ...(as.length > 0 && { find_as: as.join(',') }),
    ...(find.only !== null && { only: String(find.only) }),
  };
}

/** True when the text itself is looked for, in any case: then no pattern is needed to mark it. */
export function isLiteral({ matchCase, wholeWord, regex }: FindText): boolean {
  return !matchCase && !wholeWord && !regex;
}

/** The pattern that is looked for, in RE2 syntax; null when the text itself is. */
export function findPattern(find: FindText): string | null {
  if (isLiteral(find)) return null;
  const { text, matchCase, wholeWord, regex } = find;
  const plain = regex ? text : text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const word = wholeWord ? `\\b(?:${plain})\\b` : plain;
  return matchCase ? word : `(?i)${word}`;
}

/**
 * What is asked of a line; null for nothing. A pattern that comes of a text asks for the text too, because a text is found by the
 * search index and a pattern is not.
 */
export function findExpr(find: FindText): Expr | null {
  const { text, regex } = find;
  if (text === '') return null;
  const pattern = findPattern(find);
  if (pattern === null) return { op: 'text', text };
  return regex
    ? { op: 'regex', pattern }
    : {
        op: 'all',
        parts: [
          { op: 'text', text },
          { op: 'regex', pattern },
        ],
      };
}

/** Finds a text in any case. Where folding changes the length of a letter, places would be wrong, and nothing is found. */
export function literalFinder(text: string): Finder {
  const wanted = text.toLowerCase();
  return (line) => {
    const folded = line.toLowerCase();
    const spans: Span[] = [];
    if (wanted === '' || folded.length !== line.length) return spans;
    for (let at = folded.indexOf(wanted); at !== -1; at = folded.indexOf(wanted, at + wanted.length)) {
      spans.push([at, at + wanted.length]);
    }
    return spans;
  };
}

/** The lines of a filter in which it stands that is looked for. */
export function findFilter(filter: LogFilter, find: FindText): LogFilter {
  const expr = findExpr(find);
  if (expr === null) return filter;
  const shown = queryText(filter);
  const text = [shown && `(${shown})`, printExpr(expr)].filter((part) => part !== '').join(' ');
  const { query } = readText(text, 'lines');
  return query ? withQuery(filter, query) : filter;
}
