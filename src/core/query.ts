import type { EntryType, Stream } from './entry.ts';
import type { LogFilter, Query } from './filter.ts';
import type { Level } from './level.ts';
import type { Status } from './status.ts';
import type { Task } from './task.ts';

export type Order = 'asc' | 'desc';

/** Which lines one read wants: after < seq < before, from the end that `order` names. */
export interface ReadQuery {
  readonly filter?: LogFilter;
  /** Only lines with a greater seq (default 0). */
  readonly after?: number;
  /** Only lines with a smaller seq. */
  readonly before?: number;
  /** Matching lines to skip first (default 0). The page says how many it did skip. */
  readonly offset?: number;
  readonly limit: number;
  /** The page ends with the line that reaches this size in JSON (default and most `READ_BYTES`). */
  readonly maxBytes?: number;
  readonly order?: Order;
}

/** What became of a batch. Both seqs are null when nothing was stored. */
export interface Receipt {
  readonly accepted: number;
  readonly filtered: number;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
}

export interface Count {
  readonly total: number;
  readonly exact: boolean;
}

export interface LogStats {
  readonly total: number;
  readonly byLevel: Readonly<Record<Level, number>>;
  readonly bySource: Readonly<Record<string, number>>;
  readonly byStream: Readonly<Partial<Record<Stream | 'none', number>>>;
  readonly byType: Readonly<Partial<Record<EntryType, number>>>;
  readonly firstTimestamp: string | null;
  readonly lastTimestamp: string | null;
  readonly lost: number;
}

/** Equal buckets of `widthMs` from `from` on (ISO 8601); the last one holds `to`. Empty when no line matches. */
export interface Histogram {
  readonly from: string | null;
  readonly to: string | null;
  readonly widthMs: number;
  readonly exact: boolean;
  readonly buckets: readonly HistogramBucket[];
}

export interface HistogramBucket {
  readonly timestamp: string;
  readonly total: number;
  readonly byLevel: Readonly<Record<Level, number>>;
}

/** What a store has ever taken in, deleted tasks included: these only grow. */
export interface Totals {
  readonly entries: number;
  readonly lost: number;
}

export const TASK_SORTS = [
  'created_at',
  'updated_at',
  'started_at',
  'completed_at',
  'title',
  'status',
  'source',
  'duration',
  'lines',
  'errors',
  'cost',
] as const;
export type TaskSort = (typeof TASK_SORTS)[number];

export interface TaskQuery {
  readonly status?: readonly Status[];
  /** Matches the task's source or its provider. */
  readonly source?: readonly string[];
  readonly kind?: readonly string[];
  readonly agent?: readonly string[];
  readonly tag?: readonly string[];
  /** Its texts stand in the id, title, kind, source or error, folded by `toLowerCase`; its times are those of `createdAt`. */
  readonly query?: Query;
  /** ISO 8601 bounds of `createdAt`: from inclusive, to exclusive. */
  readonly from?: string;
  readonly to?: string;
  readonly minCost?: number;
  readonly maxCost?: number;
  readonly sort?: TaskSort;
  readonly order?: Order;
  readonly limit?: number;
  readonly cursor?: string;
}

/** The same as a program asks it: `q` is a query of tasks as text (`docs/query.md`). */
export interface AskedTasks extends Omit<TaskQuery, 'query'> {
  readonly q?: string;
}

export interface TaskPage {
  readonly tasks: readonly Task[];
  readonly total: number;
  readonly totalExact: boolean;
  readonly nextCursor: string | null;
}

export interface TaskFacets {
  readonly status: Readonly<Record<string, number>>;
  readonly source: Readonly<Record<string, number>>;
  readonly kind: Readonly<Record<string, number>>;
  readonly agent: Readonly<Record<string, number>>;
  readonly tag: Readonly<Record<string, number>>;
}

/** `revision` is what to ask after next time. */
export interface Changes {
  readonly revision: number;
  readonly tasks: readonly { readonly taskId: string; readonly lastSeq: number }[];
}

/** What a store takes up. What is deleted already, and only waits to be cleared away, counts as `deletingBytes`. */
export interface Storage {
  readonly bytes: number;
  readonly deletingBytes: number;
  /** The files in the directories of tasks, as far as they are written. */
  readonly fileBytes: number;
  /** Room in the file that new lines take first. */
  readonly freeBytes: number;
  readonly tasks: number;
  readonly oldestTaskAt: string | null;
}

/** A task that has ended: the same one, as long as it has this end. */
export interface EndedMark {
  readonly taskId: string;
  readonly endedAt: string;
}

/** An ended task that nobody pinned. */
export interface EndedTask extends EndedMark {
  readonly title: string | null;
  readonly lines: number;
  /** About what it takes up, its files included. */
  readonly bytes: number;
}

export interface EndedQuery {
  /** Only tasks behind this one in the order of their ends. */
  readonly after?: EndedMark | undefined;
  /** Only tasks that ended before this moment (ISO 8601). */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** What a tombstone names as the one who deleted. */
export type PruneRule = 'retention' | 'disk limit';

export interface Prunable extends EndedTask {
  readonly rule: PruneRule;
}

/** One step of pruning. */
export interface Pruned {
  /** What is gone, or would go. */
  readonly tasks: readonly Prunable[];
  /** Null when no more is to go. */
  readonly nextCursor: string | null;
}

export interface PruneRequest {
  /** Only say what would go. */
  readonly dryRun: boolean;
  /** Instead of what the settings say. */
  readonly olderThanDays?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** `nextCursor` of the step before. */
  readonly cursor?: string | undefined;
}
