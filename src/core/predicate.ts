import type { Draft, JsonObject, LogEntry } from './entry.ts';
import {
  type Expr,
  FALSE,
  isTaskTerm,
  knowsTask,
  type LineTerm,
  matchesMetadata,
  settle,
  type TaskFacts,
} from './expr.ts';
import type { LogFilter } from './filter.ts';
import { compilePattern } from './pattern.ts';

/** What a filter looks at in a line. */
export type Filtered = Pick<LogEntry | Draft, 'timestamp' | 'level' | 'source' | 'stream' | 'type' | 'message'> &
  ({ readonly metadata: JsonObject | null } | { readonly metadataJson: string | null });

export type Matches = (line: Filtered) => boolean;

/**
 * The filter as a function of one line. Every store's query answers exactly what this says. Without the task of the line, nothing that
 * is asked of a task is true. Throws `invalid_filter` for a pattern that is not RE2 syntax.
 */
export function predicate(filter: LogFilter, task?: TaskFacts): Matches {
  return lineMatcher(filterExpr(filter, task));
}

/** A filter as one expression, with what the task answers settled. */
export function filterExpr(filter: LogFilter, task?: TaskFacts): Expr {
  return settle(wholeExpr(filter), task ? knowsTask(task) : (term) => (isTaskTerm(term) ? false : undefined));
}

/** A filter as one expression, with all that is asked of a task. */
export function wholeExpr(filter: LogFilter): Expr {
  const { levels, sources, streams, types, search, regex, from, to, query } = filter;
  const parts: Expr[] = [];
  if (levels) parts.push({ op: 'level', values: levels });
  if (sources) parts.push({ op: 'source', values: sources });
  if (streams) parts.push({ op: 'stream', values: streams });
  if (types) parts.push({ op: 'type', values: types });
  if (from !== undefined || to !== undefined) {
    parts.push({ op: 'time', ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
  }
  if (search !== undefined) parts.push(regex ? { op: 'regex', pattern: search } : { op: 'text', text: search });
  if (query) parts.push(query.expr);
  return settle({ op: 'all', parts }, () => undefined);
}

/** An expression without task terms as a function of one line. */
export function lineMatcher(expr: Expr): Matches {
  if (expr.op === 'not') {
    const matches = lineMatcher(expr.part);
    return (line) => !matches(line);
  }
  if (expr.op === 'all') {
    const parts = expr.parts.map(lineMatcher);
    return (line) => parts.every((matches) => matches(line));
  }
  if (expr.op === 'any') {
    const parts = expr.parts.map(lineMatcher);
    return (line) => parts.some((matches) => matches(line));
  }
  return isTaskTerm(expr) ? lineMatcher(FALSE) : termMatcher(expr);
}

function termMatcher(term: LineTerm): Matches {
  switch (term.op) {
    case 'text': {
      const folded = term.text.toLowerCase();
      return ({ message }) => message.toLowerCase().includes(folded);
    }
    case 'regex': {
      const pattern = compilePattern(term.pattern);
      return ({ message }) => pattern.find(message);
    }
    case 'level':
      return ({ level }) => term.values.includes(level);
    case 'source':
      return ({ source }) => term.values.includes(source);
    case 'stream':
      return ({ stream }) => stream !== null && term.values.includes(stream);
    case 'type':
      return ({ type }) => term.values.includes(type);
    case 'time':
      return ({ timestamp }) =>
        (term.from === undefined || timestamp >= term.from) && (term.to === undefined || timestamp < term.to);
    case 'meta':
      return (line) => matchesMetadata(metadataOf(line), term);
  }
}

function metadataOf(line: Filtered): JsonObject | null {
  if ('metadata' in line) return line.metadata;
  return line.metadataJson === null ? null : (JSON.parse(line.metadataJson) as JsonObject);
}
