import { type Clock, systemClock } from '../../core/time.ts';

const WARN_EVERY_MS = 60_000;
/** Tasks whose directory waits to be written again. */
const REMEMBERED = 10_000;
/** Delay before failed directories are tried again: first and longest. */
const AGAIN_FIRST_MS = 1_000;
const AGAIN_LAST_MS = 30_000;
/** Directories that one try takes. */
const TRIED = 100;

/** What could not be written: counted, told once a minute, and tried again with growing delays until it works. */
export class Faults {
  count = 0;
  readonly #warn: (message: string) => void;
  readonly #clock: Clock;
  readonly #failed = new Set<string>();
  #queue: string[] = [];
  #overflown = false;
  #delayMs = AGAIN_FIRST_MS;
  #againMs = Number.POSITIVE_INFINITY;
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(warn: (message: string) => void, clock: Clock = systemClock) {
    this.#warn = warn;
    this.#clock = clock;
  }

  add(error: unknown, taskId?: string): void {
    this.count += 1;
    const nowMs = this.#clock.now();
    if (taskId !== undefined) {
      if (this.#failed.size < REMEMBERED) this.#failed.add(taskId);
      else this.#overflown ||= !this.#failed.has(taskId);
      if (this.#againMs === Number.POSITIVE_INFINITY) this.#againMs = nowMs + this.#delayMs;
    }
    if (nowMs - this.#warnedMs < WARN_EVERY_MS) return;
    this.#warnedMs = nowMs;
    const whose = taskId === undefined ? 'task directories' : `the directory of task ${taskId}`;
    const reason = error instanceof Error ? error.message : String(error);
    this.#warn(
      `${whose} cannot be written: ${reason}; ${this.count} failures so far. The tasks are not touched, and the files are ` +
        'written when it works again',
    );
  }

  /** Its directory was written. When it had failed, the others may work again too. */
  mended(taskId: string): void {
    if (!this.#failed.delete(taskId)) return;
    this.#delayMs = AGAIN_FIRST_MS;
    if (this.#failed.size > 0) this.#againMs = Math.min(this.#againMs, this.#clock.now());
  }

  /** The tasks whose time has come, some of them. `overflown`: more failed than were remembered. */
  due(): { readonly due: readonly string[]; readonly overflown: boolean } {
    const overflown = this.#queue.length === 0 && this.#clock.now() >= this.#againMs && this.#refill();
    return { due: this.#queue.splice(0, TRIED), overflown };
  }

  #refill(): boolean {
    const overflown = this.#overflown;
    this.#overflown = false;
    this.#queue = [...this.#failed];
    this.#delayMs = Math.min(this.#delayMs * 2, AGAIN_LAST_MS);
    // Who fails again sets the next time.
    this.#againMs = Number.POSITIVE_INFINITY;
    return overflown;
  }
}
