import type { Draft, LogEntry } from './entry.ts';
import { type LineTemplate, lineTexts } from './line-text.ts';
import type { Count, Histogram, LogStats, Prunable, Pruned, Receipt, TaskPage } from './query.ts';
import type { Metrics, Task, TaskInput, TaskLog } from './task.ts';

/*
 * The wire is snake_case, TypeScript is camelCase. The shapes of both are the same, so one renaming of the fixed keys serves
 * both ways; what users put into params, metadata, results and tags is never renamed.
 */

type Snake<K extends string> = K extends `${infer A}${infer B}`
  ? A extends Lowercase<A>
    ? `${A}${Snake<B>}`
    : `_${Lowercase<A>}${Snake<B>}`
  : K;
export type Wired<T> = { readonly [K in keyof T & string as Snake<K>]: T[K] };

export type WireEntry = Wired<LogEntry>;
export type WireReceipt = Wired<Receipt>;
export type WireStats = Wired<LogStats>;
export type WireHistogram = Omit<Wired<Histogram>, 'buckets'> & {
  readonly buckets: readonly Wired<Histogram['buckets'][number]>[];
};
export type WirePruned = Omit<Wired<Pruned>, 'tasks'> & { readonly tasks: readonly Wired<Prunable>[] };
export type WireTask = Omit<Wired<Task>, 'log' | 'metrics' | 'input'> & {
  readonly log: Wired<TaskLog>;
  readonly metrics: Wired<Metrics>;
  readonly input: Wired<TaskInput> | null;
};
export type WireTaskPage = Omit<Wired<TaskPage>, 'tasks'> & { readonly tasks: readonly WireTask[] };
/** The answer of `GET /api/tasks/{id}/logs`. */
export interface WireLogPage {
  readonly task_id: string;
  readonly logs: readonly WireEntry[];
  readonly offset: number;
  readonly limit: number;
  readonly total: number;
  readonly total_exact: boolean;
  readonly has_more: boolean;
  readonly last_seq: number;
  /** Only when the time was up before the page was full. */
  readonly scanned_to?: number;
}

/** Rename the keys of one object, not of what lies in it: `createdAt` → `created_at`. */
export function toSnake<T extends object>(value: T): Wired<T> {
  return renamed(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) as Wired<T>;
}

/** Rename the keys of one object, not of what lies in it: `created_at` → `createdAt`. */
export function toCamel<T extends object>(value: object): T {
  return renamed(value, (key) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())) as T;
}

export function taskToWire(task: Task): WireTask {
  return {
    ...toSnake(task),
    log: toSnake(task.log),
    metrics: toSnake(task.metrics),
    input: task.input && toSnake(task.input),
  };
}

export function taskOfWire(wire: WireTask): Task {
  return {
    ...toCamel<Task>(wire),
    log: toCamel(wire.log),
    metrics: toCamel(wire.metrics),
    input: wire.input && toCamel(wire.input),
  };
}

export function taskPageToWire(page: TaskPage): WireTaskPage {
  return { ...toSnake(page), tasks: page.tasks.map(taskToWire) };
}

export function taskPageOfWire(wire: WireTaskPage): TaskPage {
  return { ...toCamel<TaskPage>(wire), tasks: wire.tasks.map(taskOfWire) };
}

export function statsToWire(stats: LogStats): WireStats {
  return toSnake(stats);
}

export function histogramToWire(histogram: Histogram): WireHistogram {
  return { ...toSnake(histogram), buckets: histogram.buckets.map((bucket) => toSnake(bucket)) };
}

export function entryOfWire(wire: WireEntry): LogEntry {
  const { id, seq, task_id, timestamp, level, source, stream, type, message, metadata } = wire;
  return { id, seq, taskId: task_id, timestamp, level, source, stream, type, message, metadata };
}

/** One entry as JSON in wire form. */
export function entryJson(taskId: string, seq: number, draft: Draft): string {
  return ENTRY_TEMPLATE(lineTexts(taskId, seq, draft));
}

/** An entry in wire form, written by hand because every reader of every line pays for it. Task ids are plain by their grammar. */
export const ENTRY_TEMPLATE: LineTemplate = (texts) => {
  const { taskId, seq, timestamp, level, type, source, stream, message, metadata } = texts;
  return (
    `{"id":"${taskId}:${seq}","seq":${seq},"task_id":"${taskId}","timestamp":"${timestamp}","level":"${level}","source":${source},` +
    `"stream":${stream},"type":"${type}","message":${message},"metadata":${metadata}}`
  );
};

export function countToWire(count: Count): { total: number; total_exact: boolean } {
  return { total: count.total, total_exact: count.exact };
}

function renamed(value: object, rename: (key: string) => string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [rename(key), held]));
}
