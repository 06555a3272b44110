import type { Query } from '../core/filter.ts';

/** Read a query. Throws `invalid_query`. */
export function parseQuery(text: string, nowMs: number): Query | undefined {
  return text === '' && nowMs > 0 ? undefined : { text, expr: { op: 'text', text } };
}
