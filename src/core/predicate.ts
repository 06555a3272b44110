import { RE2JS } from 're2js';
import type { Draft, LogEntry } from './entry.ts';
import { TrailError } from './error.ts';
import type { LogFilter } from './filter.ts';

/** What a filter looks at in a line. */
export type Filtered = Pick<LogEntry | Draft, 'timestamp' | 'level' | 'source' | 'stream' | 'type' | 'message'>;

/** The filter as a function of one line. Every store's query answers exactly what this says. */
export function predicate(filter: LogFilter): (line: Filtered) => boolean {
  const { levels, sources, streams, types, from, to } = filter;
  const matches = messagePredicate(filter);
  return (line) =>
    (levels === undefined || levels.includes(line.level)) &&
    (sources === undefined || sources.includes(line.source)) &&
    (streams === undefined || (line.stream !== null && streams.includes(line.stream))) &&
    (types === undefined || types.includes(line.type)) &&
    (from === undefined || line.timestamp >= from) &&
    (to === undefined || line.timestamp < to) &&
    matches(line.message);
}

/** The part of a filter that reads the message. Throws `invalid_filter` for a pattern that is not RE2 syntax. */
export function messagePredicate({ search, regex }: LogFilter): (message: string) => boolean {
  if (search === undefined) return () => true;
  if (regex) {
    const pattern = compilePattern(search);
    return (message) => pattern.matcher(message).find();
  }
  const folded = search.toLowerCase();
  return (message) => message.toLowerCase().includes(folded);
}

/** Linear-time regular expressions: a pattern from a stranger cannot hang us (https://github.com/google/re2/wiki/Syntax). */
function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TrailError('invalid_filter', `search: expected a regular expression in RE2 syntax: ${reason}`, {
      cause: error,
      errors: [{ path: 'search', detail: reason }],
    });
  }
}
