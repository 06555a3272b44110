import type { Clock } from '../../core/time.ts';

const MINUTE_MS = 60_000;
const MESSAGES = 30;
const REMEMBERED = 10_000;

/** Holds messages back: so many a minute over all, and for each rule and task one in its time. */
export class Pace {
  readonly #clock: Clock;
  readonly #sentMs: number[] = [];
  readonly #coolUntilMs = new Map<string, number>();
  #missed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True, and not again until the time is over. */
  warm(key: string, coolDownMs: number): boolean {
    const nowMs = this.#clock.now();
    if ((this.#coolUntilMs.get(key) ?? 0) > nowMs) return false;
    if (this.#coolUntilMs.size >= REMEMBERED) this.#forget(nowMs);
    this.#coolUntilMs.set(key, nowMs + coolDownMs);
    return true;
  }

  /** How many were held back since the last one that was let through; null for one that is held back. */
  admit(): number | null {
    const nowMs = this.#clock.now();
    while (this.#sentMs[0] !== undefined && this.#sentMs[0] <= nowMs - MINUTE_MS) this.#sentMs.shift();
    if (this.#sentMs.length >= MESSAGES) {
      this.#missed += 1;
      return null;
    }
    this.#sentMs.push(nowMs);
    const missed = this.#missed;
    this.#missed = 0;
    return missed;
  }

  #forget(nowMs: number): void {
    for (const [key, untilMs] of this.#coolUntilMs) if (untilMs <= nowMs) this.#coolUntilMs.delete(key);
    if (this.#coolUntilMs.size >= REMEMBERED) this.#coolUntilMs.clear();
  }
}
