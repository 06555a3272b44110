import { TrailError } from '../core/error.ts';
import { type AskedFilter, type LogFilter, parseFilter, type RawFilter } from '../core/filter.ts';
import { compilePattern } from '../core/pattern.ts';
import type { AskedTasks, TaskQuery } from '../core/query.ts';
import { parseQuery, parseTaskQuery } from './parse.ts';

/** Read a filter with its query `q`, in which a time like `-2h` counts from `nowMs`. Throws `invalid_filter` or `invalid_query`. */
export function readFilter(raw: RawFilter, nowMs: number = Date.now()): LogFilter {
  const { q } = raw;
  if (q !== undefined && q !== null && typeof q !== 'string') {
    throw new TrailError('invalid_query', 'q: expected one text', {
      errors: [{ path: 'q', detail: 'expected one text' }],
    });
  }
  const filter = parseFilter(raw);
  // A bad pattern is refused before anything is looked at. The patterns of a query are compiled where it is parsed.
  if (filter.regex && filter.search !== undefined) compilePattern(filter.search);
  return typeof q === 'string' ? askedFilter({ ...filter, q }, nowMs) : filter;
}

/** Read the query of a filter. Throws `invalid_query`. */
export function askedFilter({ q, ...filter }: AskedFilter, nowMs: number = Date.now()): LogFilter {
  const query = q === undefined ? undefined : parseQuery(q, nowMs);
  return query ? { ...filter, query } : filter;
}

/** The same for a list of tasks. */
export function askedTasks({ q, ...rest }: AskedTasks, nowMs: number = Date.now()): TaskQuery {
  const query = q === undefined ? undefined : parseTaskQuery(q, nowMs);
  return query ? { ...rest, query } : rest;
}
