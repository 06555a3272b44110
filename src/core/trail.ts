import type { Analytics, AnalyticsAsked } from './analytics.ts';
import type { CompareAsked, Comparison, PatternsAsked } from './comparison.ts';
import type { EntryInput, EntryType, Json, LogEntry, Stream } from './entry.ts';
import type { AskedFilter } from './filter.ts';
import type { SearchOptions, SearchResult } from './found.ts';
import type { Patterns } from './patterns.ts';
import type { AskedTasks, Histogram, LogStats, Order, Receipt, TaskPage } from './query.ts';
import type { Metrics, Task, TaskChange, TaskDraft } from './task.ts';

/** How a task ended, as its reporter tells it. */
export interface Ending {
  readonly result?: Json;
  readonly exitCode?: number | null;
  readonly metrics?: Partial<Metrics>;
}

export interface LogQuery extends AskedFilter {
  readonly offset?: number;
  /** 0–10000, or -1 for all (default 100). */
  readonly limit?: number;
  readonly after?: number;
  readonly before?: number;
  readonly order?: Order;
  readonly count?: 'auto' | 'exact' | 'none';
}

export interface LogPage {
  readonly taskId: string;
  readonly logs: readonly LogEntry[];
  readonly offset: number;
  readonly limit: number;
  readonly total: number;
  readonly totalExact: boolean;
  readonly hasMore: boolean;
  readonly lastSeq: number;
  /** Only when the time was up before the page was full: go on `after` this line, or `before` it in descending order. */
  readonly scannedTo?: number;
}

export interface FollowOptions extends AskedFilter {
  /** Start after this seq (default 0: from the first line). */
  readonly after?: number;
  /** Start with the last N lines instead. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

/** What one call says of its line besides text and metadata. */
export interface LineOptions {
  /** This line's source, instead of the logger's. */
  readonly source?: string;
  /** What kind of line it is (default `log`); only `log` lines are dropped below the task level. */
  readonly type?: EntryType;
  /** The stream it was read from, of a process that the task runs. */
  readonly stream?: Stream;
}

/** What a line may bear: an object. What JSON cannot say in it (circles, big integers, errors, maps) is kept as readable text. */
export type LineMetadata = Readonly<Record<string, unknown>>;

/**
 * Writes lines of one task. Never throws and returns nothing: logging must not break what is logged. One call may name its own
 * source: `logger.info('saved', { rows: 5 }, { source: 'database' })`; a text `source` in the metadata names it as well.
 */
export interface Logger {
  debug(message: string, metadata?: LineMetadata | null, options?: LineOptions): void;
  info(message: string, metadata?: LineMetadata | null, options?: LineOptions): void;
  warning(message: string, metadata?: LineMetadata | null, options?: LineOptions): void;
  error(message: string, metadata?: LineMetadata | null, options?: LineOptions): void;
  /** A line with `metadata.progress`, clamped to 0–100. */
  progress(percent: number, message?: string): void;
  /** The same logger under another source; this one stays as it is. */
  withSource(name: string): Logger;
  /** Resolves when every line so far is committed. */
  flush(): Promise<void>;
  /** Resolves when less than half of the task's buffer is in use: await it in a tight loop, and no line is lost. */
  drain(): Promise<void>;
}

/** A task that this program reports. */
export interface RunningTask {
  readonly id: string;
  readonly logger: Logger;
  complete(result?: Json, ending?: Omit<Ending, 'result'>): Promise<Task>;
  fail(error: string | Error, ending?: Ending): Promise<Task>;
}

/** A trail: embedded (`openTrail`) or on a server (`connectTrail`). Unknown tasks throw `task_not_found`. */
export interface Trail {
  /** Start a task and report on it. */
  task(draft?: TaskDraft): Promise<RunningTask>;
  create(draft: TaskDraft): Promise<Task>;
  change(taskId: string, change: TaskChange): Promise<Task>;
  delete(taskId: string): Promise<void>;
  complete(taskId: string, ending?: Ending): Promise<Task>;
  fail(taskId: string, error: string, ending?: Ending): Promise<Task>;
  /** Answer a task that asked a person. */
  input(taskId: string, message: string): Promise<Task>;
  tasks(query?: AskedTasks): Promise<TaskPage>;
  get(taskId: string): Promise<Task>;
  logs(taskId: string, query?: LogQuery): Promise<LogPage>;
  stats(taskId: string): Promise<LogStats>;
  sources(taskId: string): Promise<readonly string[]>;
  /** Lines of all tasks, newest first: one page. */
  search(options?: SearchOptions): Promise<SearchResult>;
  /** Lines by pattern: what is left of them without their numbers, ids and paths. */
  patterns(asked?: PatternsAsked): Promise<Patterns>;
  /** What the lines of a task say that those of another, its last good run for one, do not. */
  compare(taskId: string, asked?: CompareAsked): Promise<Comparison>;
  /** What the tasks of a time came to together; the last 30 days by day unless it is asked otherwise. */
  analytics(asked?: AnalyticsAsked): Promise<Analytics>;
  histogram(taskId: string, query?: AskedFilter & { buckets?: number }): Promise<Histogram>;
  /** Stored lines first, then live ones, nothing twice and nothing left out; ends when the task has ended. */
  follow(taskId: string, options?: FollowOptions): AsyncIterable<LogEntry>;
  /** Resolves after the commit. With `key`, a retry is harmless. */
  append(taskId: string, entries: EntryInput | readonly EntryInput[], options?: { key?: string }): Promise<Receipt>;
  close(): Promise<void>;
}
