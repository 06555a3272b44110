import type { Draft } from './entry.ts';
import type { PlainLines } from './line-text.ts';

/** A line as it is stored, with its number. */
export interface NumberedLine extends Draft {
  readonly seq: number;
}

/** Lines for who writes them elsewhere: as they are stored, not as a page of JSON. */
export interface LineSource {
  /** The lines behind `after`, in order, as many as one read takes; `scannedTo` is where the next read begins. */
  lines(
    taskId: string,
    after: number,
  ): Promise<{ readonly lines: readonly NumberedLine[]; readonly scannedTo: number; readonly done: boolean }>;
  /** The same lines as one text in UTF-8, a line each, where all of them are plain; undefined where one is not. */
  plainLines(
    taskId: string,
    after: number,
    plain: PlainLines,
  ): Promise<
    { readonly text: Uint8Array<ArrayBuffer>; readonly scannedTo: number; readonly done: boolean } | undefined
  >;
}

/** What one file of a task directory was last known to hold. A document has a digest, by which a change is seen without reading it. */
export interface FileRecord {
  readonly bytes: number;
  readonly digest?: string;
}

/** What a task directory was last known to hold. */
export interface DirectoryRecord {
  readonly taskId: string;
  /** The task's revision that the files show: while the task has it, they are up to date. */
  readonly revision: number;
  /** The last line in the files. */
  readonly seq: number;
  /** By file name; a file that is not there has no record. */
  readonly files: Readonly<Record<string, FileRecord>>;
}

/** A task beside its directory's record. */
export interface DirectoryState {
  readonly taskId: string;
  /** The task's revision now. */
  readonly revision: number;
  /** Its lines are compressed in the store. */
  readonly compressed: boolean;
  readonly record: DirectoryRecord | null;
}

/** Kept by the store, so that a start need not read the directories. They may lag behind the files, and are never ahead of them. */
export interface DirectoryRecords {
  /** The newest revision of any task: where a listener for changes starts. */
  revision(): Promise<number>;
  /** Undefined when there is no such task. */
  state(taskId: string): Promise<DirectoryState | undefined>;
  /** Tasks from the newest to the oldest, at most `limit`; `cursor` of the page before goes on from there, null at the end. */
  states(limit: number, cursor?: number): Promise<{ states: readonly DirectoryState[]; cursor: number | null }>;
  /** Tasks whose lines were compressed after a revision, in that order, at most `limit`. `revision` is what to ask after next time. */
  compressed(after: number, limit: number): Promise<{ revision: number; taskIds: readonly string[] }>;
  /** Tasks that had a directory and are no more. */
  gone(limit: number): Promise<readonly string[]>;
  /** Replace the records of these tasks in one commit; those of tasks that are gone are left as they are. */
  save(records: readonly DirectoryRecord[]): Promise<void>;
  /** Forget directories of tasks that are gone. */
  forget(taskIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
