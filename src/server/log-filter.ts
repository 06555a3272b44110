import { type LogFilter, parseFilter, type RawFilter } from '../core/filter.ts';
import { messagePredicate } from '../core/predicate.ts';

/** The filter of a request. A pattern is compiled once here, so that a bad one is refused before anything is sent. */
export function filterOf(query: RawFilter): LogFilter {
  const filter = parseFilter(query);
  messagePredicate(filter);
  return filter;
}
