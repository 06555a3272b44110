import { mkdirSync } from 'node:fs';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { DirectoryRecord, DirectoryRecords, DirectoryState } from '../../core/directory.ts';
import { TrailError } from '../../core/error.ts';
import { type Clock, systemClock } from '../../core/time.ts';
import { Compression } from './compression.ts';
import { removeTree } from './disk.ts';
import { Faults } from './faults.ts';
import { taskPath } from './place.ts';
import { type DirectorySource, step } from './projection.ts';
import { Sweep } from './sweep.ts';

export interface ProjectorOptions {
  /** Where the task directories lie. */
  readonly dir: string;
  readonly store: DirectorySource;
  readonly records: DirectoryRecords;
  /** Told when directories cannot be written, at most once a minute. */
  readonly warn?: (message: string) => void;
  readonly clock?: Clock;
}

/** How often it looks for commits; with the work itself the files stay less than 250 ms behind. */
const LOOK_EVERY_MS = 100;
/** Between two turns of the sweep: a start has other things to do. */
const REST_MS = 20;
/** Time of a round for documents, which cost an fsync each, and for tasks that are not done. */
const TURN_MS = 50;
/** Tasks that may wait for their documents; beyond that a commit's documents are written with its lines. */
const UNDONE = 10_000;
/** Records may lag: what they miss after a crash is cut and written again. */
const SAVE_EVERY_MS = 1_000;
const SAVE_RECORDS = 1_000;
const CHANGES = 500;
/** Longest time that one stop may take: what is not written by then comes at the next start. */
const CLOSE_MS = 2_000;

/**
 * Writes committed tasks into their directories, beside whoever commits:
 *
 *   changes after a revision ─▶ one step for each task ─▶ another for those not done, and for those that failed a while ago
 *     └▶ the sweep: all older tasks, newest first, a few milliseconds at a time ─▶ output of compressed tasks, a piece at a time
 *
 * Its cursor is the record of each task: the revision that the files show. What happened while nobody projected is found by
 * comparing the two, so a start begins with what comes in now and needs no place in the past.
 */
export class DirectoryProjector {
  readonly #dir: string;
  readonly #store: DirectorySource;
  readonly #records: DirectoryRecords;
  readonly #faults: Faults;
  readonly #sweep: Sweep;
  readonly #compression: Compression;
  /** Records that are newer than the saved ones. */
  readonly #unsaved = new Map<string, DirectoryRecord>();
  readonly #undone = new Set<string>();
  #waiting: (() => void)[] = [];
  #savedMs = 0;
  #closing = false;
  #running: Promise<void> | undefined;

  constructor({ dir, store, records, warn = () => {}, clock = systemClock }: ProjectorOptions) {
    this.#dir = dir;
    this.#store = store;
    this.#records = records;
    this.#faults = new Faults(warn, clock);
    this.#sweep = new Sweep(dir, records, (taskId) => this.#project(taskId));
    this.#compression = new Compression(dir, records, this.#unsaved);
  }

  /** Times that something could not be written. */
  get failures(): number {
    return this.#faults.count;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the files show everything that was committed before the call, all older tasks were compared, and that is recorded. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Write what is committed, unless that takes too long, and stop. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    let revision = await this.#head();
    while (!this.#closing) {
      const waiting = this.#waiting.splice(0);
      revision = await this.#follow(revision);
      await this.#goOn();
      const sweeping = this.#undone.size > 0 || (await this.#attempt(() => this.#sweep.go()));
      const busy = sweeping || (await this.#attempt(() => this.#compression.go())) || this.#undone.size > 0;
      await this.#attempt(() => this.#retry());
      const settling = !busy && waiting.length > 0;
      if (settling || this.#unsaved.size >= SAVE_RECORDS || performance.now() - this.#savedMs > SAVE_EVERY_MS) {
        await this.#attempt(() => this.#save());
      }
      if (settling) for (const resolve of waiting) resolve();
      else this.#waiting.unshift(...waiting);
      if (this.#undone.size > 0 || this.#waiting.length > 0) await turn();
      else if (!this.#closing) await wait(busy ? REST_MS : LOOK_EVERY_MS);
    }
    await this.#finish(revision);
  }

  /** Where the changes begin that are followed as they come; a store that cannot be read yet is asked again. */
  async #head(): Promise<number> {
    for (;;) {
      const revision = await this.#attempt(async () => {
        mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
        return this.#records.revision();
      });
      if (revision !== undefined) return revision;
      if (this.#closing) return 0;
      await wait(LOOK_EVERY_MS);
    }
  }

  /** A step for each task that changed after a revision. When many are new, their lines go first, and their documents follow. */
  async #follow(from: number): Promise<number> {
    const untilMs = performance.now() + TURN_MS;
    let revision = from;
    for (;;) {
      const changes = await this.#attempt(() => this.#store.changes(revision, CHANGES));
      if (!changes) return revision;
      for (const { taskId } of changes.tasks) {
        await this.#project(taskId, performance.now() > untilMs && this.#undone.size < UNDONE);
      }
      revision = changes.revision;
      if (changes.tasks.length < CHANGES) return revision;
      await turn();
    }
  }

  /** A step for those whose last step was not their end: as many as one turn has time for, each in its turn. */
  async #goOn(): Promise<void> {
    const untilMs = performance.now() + TURN_MS;
    for (const taskId of [...this.#undone]) {
      if (performance.now() > untilMs) return;
      this.#undone.delete(taskId);
      await this.#project(taskId);
    }
  }

  async #project(taskId: string, linesOnly = false): Promise<void> {
    try {
      const state = await this.#records.state(taskId);
      if (state) await this.#step(state, linesOnly);
      else await this.#removeDeleted(taskId);
      this.#faults.mended(taskId);
    } catch (error) {
      this.#undone.delete(taskId);
      this.#faults.add(error, taskId);
    }
  }

  async #step(state: DirectoryState, linesOnly: boolean): Promise<void> {
    const { taskId } = state;
    const record = this.#unsaved.get(taskId) ?? state.record;
    const stepped = await step(this.#dir, this.#store, { state: { ...state, record }, linesOnly });
    this.#unsaved.set(taskId, stepped.record);
    if (stepped.done) this.#undone.delete(taskId);
    else this.#undone.add(taskId);
  }

  /** The directory of a deleted task goes with it. One that the store never knew is not ours to remove: it may be all that is left. */
  async #removeDeleted(taskId: string): Promise<void> {
    this.#undone.delete(taskId);
    const recorded = this.#unsaved.delete(taskId);
    if (!recorded && !(await this.#isDeleted(taskId))) return;
    removeTree(taskPath(this.#dir, taskId));
    await this.#records.forget([taskId]);
  }

  async #isDeleted(taskId: string): Promise<boolean> {
    try {
      await this.#store.task(taskId);
      return false;
    } catch (error) {
      return error instanceof TrailError && error.code === 'task_deleted';
    }
  }

  async #retry(): Promise<void> {
    const { due, overflown } = this.#faults.due();
    // More failed than were remembered: their records tell which they are.
    if (overflown) this.#sweep.restart();
    for (const taskId of due) await this.#project(taskId);
  }

  async #save(): Promise<void> {
    this.#savedMs = performance.now();
    if (this.#unsaved.size === 0) return;
    const records = [...this.#unsaved.values()];
    await this.#records.save(records);
    for (const record of records) this.#unsaved.delete(record.taskId);
  }

  async #finish(from: number): Promise<void> {
    const untilMs = performance.now() + CLOSE_MS;
    let revision = from;
    do {
      revision = await this.#follow(revision);
      await this.#goOn();
      // A server that stops soon after its start may not have compared what came before it looked for the first time.
      const sweeping = this.#undone.size === 0 && (await this.#attempt(() => this.#sweep.go()));
      if (!sweeping && this.#undone.size === 0) break;
    } while (performance.now() < untilMs);
    this.#sweep.close();
    this.#compression.close();
    await this.#attempt(() => this.#save());
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** What fails here is not one task's directory: the store, or the directory of all. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#faults.add(error);
      return undefined;
    }
  }
}
