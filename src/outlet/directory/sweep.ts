import { opendirSync } from 'node:fs';
import type { DirectoryRecords } from '../../core/directory.ts';
import { removeTree } from './disk.ts';
import { isTaskName, taskPath } from './place.ts';
import { isAsRecorded } from './projection.ts';

/** Time that one turn takes: what comes in live waits no longer for it. */
const TURN_MS = 20;
const PAGE = 200;
/** After a fault of the store or of the directory of all, it begins again this much later. */
const REST_MS = 30_000;

/**
 * Compares all directories with the store, once, a turn at a time:
 *
 *   directories of deleted tasks ─▶ tasks, newest first ─▶ directories without a record ─▶ over
 *
 * A task whose revision is the recorded one is only looked at from outside: names and sizes. All others are projected.
 */
export class Sweep {
  readonly #dir: string;
  readonly #records: DirectoryRecords;
  readonly #project: (taskId: string) => Promise<void>;
  #work: AsyncGenerator<void>;
  #restUntilMs = 0;
  #over = false;

  /** `project` brings one directory up to date, and removes that of a deleted task. */
  constructor(dir: string, records: DirectoryRecords, project: (taskId: string) => Promise<void>) {
    this.#dir = dir;
    this.#records = records;
    this.#project = project;
    this.#work = this.#all();
  }

  /** Work for a turn. Answers whether there is more to do at once. */
  async go(): Promise<boolean> {
    const untilMs = performance.now() + TURN_MS;
    if (this.#over || performance.now() < this.#restUntilMs) return false;
    try {
      while (!this.#over && performance.now() < untilMs) this.#over = (await this.#work.next()).done ?? false;
    } catch (error) {
      this.restart();
      this.#restUntilMs = performance.now() + REST_MS;
      throw error;
    }
    return !this.#over;
  }

  /** Begin again: something may differ that was compared before. */
  restart(): void {
    this.close();
    this.#work = this.#all();
    this.#over = false;
  }

  close(): void {
    void this.#work.return(undefined);
    this.#over = true;
  }

  async *#all(): AsyncGenerator<void> {
    yield* this.#gone();
    yield* this.#tasks();
    yield* this.#unrecorded();
  }

  async *#gone(): AsyncGenerator<void> {
    for (let full = true; full; ) {
      const taskIds = await this.#records.gone(PAGE);
      for (const taskId of taskIds) {
        removeTree(taskPath(this.#dir, taskId));
        yield;
      }
      if (taskIds.length > 0) await this.#records.forget(taskIds);
      full = taskIds.length === PAGE;
    }
  }

  async *#tasks(): AsyncGenerator<void> {
    for (let from: number | null | undefined; from !== null; ) {
      const { states, cursor } = await this.#records.states(PAGE, from);
      for (const { taskId, revision, record } of states) {
        if (record?.revision !== revision || !isAsRecorded(this.#dir, record)) await this.#project(taskId);
        yield;
      }
      from = cursor;
    }
  }

  /** A crash between making a directory and recording it, and then the task was deleted: only the name on the disk tells. */
  async *#unrecorded(): AsyncGenerator<void> {
    const names = opendirSync(this.#dir);
    try {
      for (let item = names.readSync(); item !== null; item = names.readSync()) {
        if (isTaskName(item.name) && !(await this.#records.state(item.name))) await this.#project(item.name);
        yield;
      }
    } finally {
      names.closeSync();
    }
  }
}
