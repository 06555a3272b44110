import type { Metrics } from '../core/task.ts';

/** What a task has cost: what earlier steps and attempts did, and what this run does. */
export class Figures {
  readonly #before: Metrics;
  readonly #startMs = performance.now();
  #own: Partial<Metrics> = {};

  constructor(before: Metrics) {
    this.#before = before;
  }

  /** Figures of the run so far. */
  tell(own: Partial<Metrics>): void {
    this.#own = { ...this.#own, ...own };
  }

  /** Those of the task. */
  get all(): Partial<Metrics> {
    // How long it was at work is known when a run is over.
    const { durationSeconds, ...before } = this.#before;
    const sums: [string, number][] = Object.entries(before).flatMap(([name, past]) => {
      const own = this.#own[name as keyof Metrics] ?? null;
      return past === null && own === null ? [] : [[name, (past ?? 0) + (own ?? 0)]];
    });
    return Object.fromEntries(sums) as Partial<Metrics>;
  }

  /** At the end. A task that ran once took from its start to its end; one that waited in between only what it was at work. */
  get atEnd(): Partial<Metrics> {
    const told = this.#own.durationSeconds != null || this.#before.durationSeconds !== null;
    return told ? this.soFar : this.all;
  }

  /** When the task goes on later: with the time that it was at work. */
  get soFar(): Partial<Metrics> {
    const { durationSeconds: before } = this.#before;
    const tookSeconds = Math.round(performance.now() - this.#startMs) / 1000;
    return { ...this.all, durationSeconds: (before ?? 0) + (this.#own.durationSeconds ?? tookSeconds) };
  }
}
