import type { LogFilter } from '../../core/filter.ts';
import { SEARCH_CHARS } from '../../core/limits.ts';
import { printExpr } from '../../query/print.ts';
import { readText, withQuery } from './query.ts';

/** What is shown of a pattern. */
export interface ShownPattern {
  readonly template: string;
  readonly sample: { readonly message: string };
}

/** The longest words that every line of a pattern has; undefined when there are none worth searching for. */
export function wordsOf({ template, sample }: ShownPattern): string | undefined {
  // The scanner made many spaces one and dropped colours: only what stands in a line can be searched for.
  const pieces = template.split(/<[a-z]+>|…/).flatMap((piece) => [piece.trim(), ...piece.split(/[\s"\\]+/)]);
  const found = pieces.filter((piece) => /[\p{L}\d]{2}/u.test(piece) && sample.message.includes(piece));
  return found.sort((a, b) => b.length - a.length)[0]?.slice(0, SEARCH_CHARS);
}

/** The filter that shows the lines of a pattern, and others that have its words. */
export function filterFor(filter: LogFilter, words: string): LogFilter {
  return withQuery(filter, readText(printExpr({ op: 'text', text: words }), 'lines').query);
}
