import type { LogEntry } from './entry.ts';
import { filterParams, type LogFilter } from './filter.ts';
import type { LineFacets } from './search.ts';
import type { Task } from './task.ts';
import { entryOfWire, toSnake, type Wired, type WireEntry } from './wire.ts';

/** Where something stands in a text: from the first UTF-16 unit up to the one behind the last. */
export type Span = readonly [start: number, end: number];

/** Lines around one, in their own order. */
export interface Around<Line> {
  readonly before: readonly Line[];
  readonly after: readonly Line[];
}

/** A line that a search found. */
export interface FoundLine extends LogEntry {
  /** What the query asked for in the message, in order, at most `HIGHLIGHTS`. */
  readonly highlights: readonly Span[];
  /** Only when it was asked for. */
  readonly context?: Around<LogEntry>;
}

/** Found lines of one task, in their order. */
export interface FoundGroup {
  readonly task: FoundTask;
  readonly logs: readonly FoundLine[];
}

export type FoundTask = Pick<Task, 'taskId' | 'title' | 'status' | 'kind' | 'assignedAgent' | 'createdAt'>;

/** What to search for: a query in the language of `docs/query.md`, plain filters, or both. */
export interface SearchOptions extends Omit<LogFilter, 'query'> {
  readonly q?: string;
  /** Only these tasks. */
  readonly tasks?: readonly string[];
  /** 1–1000 (default 100). */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  /** Lines before and after each found one, 0–20 (default 0). */
  readonly context?: number;
  /** How long to look before the answer is what was found so far (default 2 s). */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
}

/** The search as query parameters. */
export function searchParams(options: Omit<SearchOptions, 'signal'>): Record<string, string> {
  const { q, tasks, limit, cursor, context, budgetMs, ...filter } = options;
  // No parameter says "no task": an empty list of levels lets nothing pass either.
  const params = filterParams(tasks?.length === 0 ? { ...filter, levels: [] } : filter);
  if (q !== undefined) params.q = q;
  if (tasks?.length) params.task = tasks.join(',');
  if (cursor !== undefined) params.cursor = cursor;
  for (const [name, value] of Object.entries({ limit, context, budget_ms: budgetMs })) {
    if (value !== undefined) params[name] = String(value);
  }
  return params;
}

/** A page of found lines, newest first. */
export interface SearchResult {
  readonly logs: readonly FoundLine[];
  /** Null when nothing is left to find. */
  readonly nextCursor: string | null;
  /** Every line from this moment on was looked at; null: all were. */
  readonly scannedFrom: string | null;
  /** False: the time was up first, and `nextCursor` goes on from where it stopped. */
  readonly complete: boolean;
}

export interface WireFound extends WireEntry {
  readonly highlights: readonly Span[];
  readonly context?: Around<WireEntry>;
}

/** The answer of `GET /api/logs/search`. */
export interface WireSearchPage {
  readonly logs: readonly WireFound[];
  readonly next_cursor: string | null;
  readonly scanned_from: string | null;
  readonly complete: boolean;
  readonly took_ms: number;
  /** With `facets=true`. */
  readonly facets?: WireLineFacets;
}

export interface WireFoundGroup {
  readonly task: Wired<FoundTask>;
  readonly logs: readonly WireFound[];
}

/** The same answer with `group=task`. */
export type WireSearchGroups = Omit<WireSearchPage, 'logs'> & { readonly groups: readonly WireFoundGroup[] };

/** The answer of `GET /api/logs/search/facets`. */
export type WireLineFacets = Omit<LineFacets, 'exact' | 'tasks'> & {
  readonly total_exact: boolean;
  readonly tasks: readonly { readonly task_id: string; readonly title: string | null; readonly lines: number }[];
};

export function foundToWire({ highlights, context, ...entry }: FoundLine): WireFound {
  return {
    ...toSnake(entry),
    highlights,
    ...(context && { context: { before: context.before.map(toSnake), after: context.after.map(toSnake) } }),
  };
}

export function foundOfWire({ highlights, context, ...entry }: WireFound): FoundLine {
  return {
    ...entryOfWire(entry),
    highlights,
    ...(context && { context: { before: context.before.map(entryOfWire), after: context.after.map(entryOfWire) } }),
  };
}
