import { TrailError } from '../core/error.ts';
import { type AskedFilter, type LogFilter, parseFilter, type RawFilter } from '../core/filter.ts';
import type { AskedTasks, TaskQuery } from '../core/query.ts';
import { parseQuery, parseTaskQuery } from './parse.ts';

/** Read a filter with its query `q`, in which a time like `-2h` counts from `nowMs`. Throws `invalid_filter` or `invalid_query`. */
export function readFilter(raw: RawFilter, nowMs: number = Date.now()): LogFilter {
  const { q } = raw;
  if (q === undefined || q === null) return parseFilter(raw);
  if (typeof q === 'string') return askedFilter({ ...parseFilter(raw), q }, nowMs);
  throw new TrailError('invalid_query', 'q: expected one text', {
    errors: [{ path: 'q', detail: 'expected one text' }],
  });
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
