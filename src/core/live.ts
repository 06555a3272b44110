import type { Stream } from './entry.ts';
import type { LogFilter } from './filter.ts';
import type { EntryPage } from './page.ts';
import type { Task } from './task.ts';

/**
 * What a follower is told, in order. `entries` are committed lines after the cursor, each once; `partial` is an unended line
 * that is shown and never stored; `caught_up` comes once, when the stored lines have been sent; `end` is the last.
 */
export type FollowEvent =
  | { readonly type: 'entries'; readonly page: EntryPage }
  | { readonly type: 'partial'; readonly stream: Stream; readonly text: string }
  | { readonly type: 'status'; readonly task: Task }
  | { readonly type: 'caught_up'; readonly lastSeq: number }
  | { readonly type: 'end'; readonly lastSeq: number };

export interface FollowRequest {
  readonly filter?: LogFilter;
  /** Start after this seq (default 0: from the first line). */
  readonly after?: number;
  /** Start with the last N matching lines instead. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

/** A line of a process that is not ended yet, masked; an empty text takes it back. */
export interface UnendedLine {
  readonly taskId: string;
  readonly stream: Stream;
  readonly text: string;
}

/** One reader's way along a task. The reader pulls: it is never sent more than it asks for, so a slow one costs nothing. */
export interface Following extends AsyncIterable<FollowEvent> {
  /** Highest seq that has been looked at: where another follower could go on. */
  readonly scannedTo: number;
  /** Lines from here on by another filter; what was sent stays sent. */
  setFilter(filter: LogFilter): void;
  close(): void;
}

/** Live delivery: wake-ups, and reads from the store after each reader's cursor. */
export interface Live {
  /** Rejects with `task_not_found` or `task_deleted` at the first step. */
  follow(taskId: string, request: FollowRequest): Following;
  /** Ids of tasks as they change, in batches, each id at most once per 100 ms. An empty batch means: too many, look at all. */
  changes(signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** Told the id of each task that was made, changed or deleted, not of those that only got lines. Answers how to stop. */
  watch(listener: (taskId: string) => void): () => void;
  /** Show an unended line, masked, to those who follow now. An empty text takes it back. */
  partial(taskId: string, stream: Stream, text: string): void;
}
