import type { Draft } from '../../core/entry.ts';
import type { Receipt } from '../../core/query.ts';
import type { Task } from '../../core/task.ts';

/** A task with its lines and the keys of its batches. */
export interface Held {
  task: Task;
  readonly number: number;
  revision: number;
  /** When its last line came in. */
  heardAt: string;
  vanished: boolean;
  readonly lines: Draft[];
  readonly keys: Map<string, { readonly digest: string; readonly receipt: Receipt; readonly atMs: number }>;
}

export interface Tombstone {
  readonly revision: number;
  readonly lastSeq: number;
  readonly atMs: number;
  readonly by: string;
}
