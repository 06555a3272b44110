import type { LogEntry } from './entry.ts';
import type { LogFilter } from './filter.ts';
import type { Level } from './level.ts';

/** Lines of which tasks are looked at, and for how long. */
export interface Scope {
  readonly filter: LogFilter;
  /** Only these tasks; left out: all. One that is not there has no lines. */
  readonly tasks?: readonly string[];
  /** When the time is up, the answer says how far it came. */
  readonly budgetMs: number;
}

/** A place among all lines, newest first: by timestamp, then by task id, then by seq, each the greatest first. */
export interface SearchPlace {
  readonly timestamp: string;
  readonly taskId: string;
  readonly seq: number;
}

export interface SearchQuery extends Scope {
  /** 1–1000. */
  readonly limit: number;
  /** Only lines behind this place. */
  readonly after?: SearchPlace;
}

/** One page of matching lines, newest first. Every matching line that was committed before the call is on its page. */
export interface SearchPage {
  readonly entries: readonly LogEntry[];
  /** Where the next page starts; null when nothing is left behind this one. */
  readonly next: SearchPlace | null;
  /** Every line from this moment on (and before `after`) was looked at; null: all were. */
  readonly scannedFrom: string | null;
  /** False: the time was up before the page was full or everything was looked at. */
  readonly complete: boolean;
}

/** How many matching lines there are of each kind. */
export interface LineFacets {
  readonly total: number;
  /** False: the time was up; there are at least so many. */
  readonly exact: boolean;
  readonly level: Readonly<Record<Level, number>>;
  readonly source: Readonly<Record<string, number>>;
  readonly stream: Readonly<Record<string, number>>;
  readonly type: Readonly<Record<string, number>>;
  /** The tasks with the most matching lines, at most `FACET_TASKS`. */
  readonly tasks: readonly { readonly taskId: string; readonly lines: number }[];
}

/** True when place `a` comes before `b` on the way from new to old. */
export function isNewer(a: SearchPlace, b: SearchPlace): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  if (a.taskId !== b.taskId) return a.taskId > b.taskId;
  return a.seq > b.seq;
}
