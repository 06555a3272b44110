import type { LogFilter, RawFilter } from '../core/filter.ts';
import { predicate } from '../core/predicate.ts';
import { readFilter } from '../query/filter.ts';

/** The filter of a request. A pattern is compiled once here, so that a bad one is refused before anything is sent. */
export function filterOf(query: RawFilter): LogFilter {
  const filter = readFilter(query);
  predicate(filter);
  return filter;
}
