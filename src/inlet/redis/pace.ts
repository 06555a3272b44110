import { EVENT_STEPS, EVENTS_COMMIT_MS, EVENTS_READ, EVENTS_READ_CHARS } from '../../core/limits.ts';

/**
 * Fewest entries of a commit of a backlog, however long the last one took: on a busy machine it is mostly the tasks that take the time,
 * and smaller commits have hardly fewer of them.
 */
const LEAST = 2 * EVENTS_READ;

/** How many entries are read and committed at once, judging by the last ones. */
export class Pace {
  #read = EVENTS_READ;
  #commit = LEAST;

  /** Entries of the next read, for a commit that has so many already. */
  read(held: number): number {
    return Math.max(1, Math.min(this.#read, this.#commit - held));
  }

  isFull(plan: { readonly ids: readonly string[]; readonly chars: number }): boolean {
    return plan.ids.length >= this.#commit || plan.chars >= EVENTS_READ_CHARS;
  }

  /** They were as large as this. */
  measure(entries: number, chars: number): void {
    if (entries === 0) return;
    const fitting = Math.floor((EVENTS_READ_CHARS * entries) / Math.max(1, chars));
    this.#read = Math.min(Math.max(fitting, 1), EVENTS_READ);
  }

  /** A commit of so many took so long. One that was not full says little of larger ones, unless it took too long by itself. */
  committed(entries: number, ms: number): void {
    const isSlow = ms > EVENTS_COMMIT_MS;
    if (!isSlow && 2 * entries < this.#commit) return;
    const fitting = Math.floor((entries * EVENTS_COMMIT_MS) / Math.max(1, ms));
    // A hiccup of the disk is no slow store: not less than half at a time.
    this.#commit = Math.min(Math.max(fitting, this.#commit >> 1, LEAST), 2 * this.#commit, EVENT_STEPS);
  }
}
