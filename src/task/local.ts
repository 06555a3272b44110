import type { Task } from '../core/task.ts';
import type { Distribution, Places } from './distribution.ts';
import type { TaskParts } from './parts.ts';
import { delayOf } from './retry.ts';
import { isWaiting } from './steps.ts';

/** Changes of tasks that others make are looked at together. */
const GATHER_MS = 20;
/** After the store refused to tell what waits. */
const RETRY_MS = 1_000;
/** It is looked for attempts that are due so often at least. */
const RETRY_LOOK_MS = 600_000;

/**
 * For the one process that runs the tasks of a data directory: takes what waits in the order of the store, while there are places.
 *
 *   idle ── start ──▶ open ── close ──▶ closed
 *                      │ ▲
 *        look at what waits, after each change of a task and each end of a run
 */
export class LocalDistribution implements Distribution {
  readonly #parts: Pick<TaskParts, 'store' | 'live'>;
  #places: Places | undefined;
  #closed = false;
  #unwatch = (): void => {};
  #looking = false;
  #filling: Promise<void> = Promise.resolve();
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  /** Wakes when the next attempt of a task is due. */
  #alarm: NodeJS.Timeout | undefined;

  constructor(parts: Pick<TaskParts, 'store' | 'live'>) {
    this.#parts = parts;
  }

  start(places: Places): void {
    if (this.#places || this.#closed) return;
    this.#places = places;
    this.#unwatch = this.#parts.live.watch((taskId) => {
      if (!places.isRunning(taskId)) this.#lookIn(GATHER_MS);
    });
    this.look();
  }

  look(): void {
    this.#again = true;
    if (this.#looking || !this.#places || this.#closed) return;
    this.#looking = true;
    this.#filling = this.#fill(this.#places);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    clearTimeout(this.#timer);
    clearTimeout(this.#alarm);
    await this.#filling;
  }

  #lookIn(delayMs: number): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, delayMs).unref();
  }

  async #fill(places: Places): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      const { free } = places;
      if (free <= 0) break;
      try {
        const startable = await this.#startable(places, free);
        for (const task of startable.slice(0, free)) await places.claim(task);
        if (startable.length > free) this.#again = true;
      } catch {
        this.#lookIn(RETRY_MS);
      }
    }
    // In the same turn as the last look at `#again`: who asks a moment later must not find us looking still.
    this.#looking = false;
  }

  /** Tasks that wait for a place and may have one now, the first of them; more than `free` when there are more. */
  async #startable(places: Places, free: number): Promise<readonly Task[]> {
    // What runs may itself be `approved` for a moment, and some wait for their next attempt: room for those in the answer.
    for (let limit = free + places.taken; ; limit *= 4) {
      const found = await this.#parts.store.runs(['queued', 'approved'], limit, places.prefix);
      const waiting = found.filter((task) => isWaiting(task) && !places.isRunning(task.taskId));
      const due = waiting.filter((task) => delayOf(task) === 0);
      if (due.length < free && found.length === limit) continue;
      this.#wakeFor(waiting.filter((task) => !due.includes(task)));
      return due;
    }
  }

  #wakeFor(later: readonly Task[]): void {
    clearTimeout(this.#alarm);
    if (later.length === 0) return;
    const delayMs = Math.min(...later.map(delayOf), RETRY_LOOK_MS);
    this.#alarm = setTimeout(() => this.look(), delayMs + 1).unref();
  }
}
