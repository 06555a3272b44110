import { type LogFilter, parseFilter, type RawFilter } from '../core/filter.ts';
import { parseQuery } from './parse.ts';

/** Read a filter with its query `q`, in which a time like `-2h` counts from `nowMs`. Throws `invalid_filter`. */
export function readFilter(raw: RawFilter, nowMs: number = Date.now()): LogFilter {
  const filter = parseFilter(raw);
  const query = typeof raw.q === 'string' ? parseQuery(raw.q, nowMs) : undefined;
  return query ? { ...filter, query } : filter;
}
