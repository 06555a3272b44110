import type { Clock } from '../../core/time.ts';

/** Refused deliveries of one webhook that are written down in a minute; anybody can send them. */
const PER_MINUTE = 60;
const MINUTE_MS = 60_000;

/** Bounds what strangers can make us write: of many refused deliveries some are written down, the others only counted. */
export class RefusedLog {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { sinceMs: number; written: number; unwritten: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many were not written down since the last one that was; undefined when this one is not to be written either. */
  admit(webhookId: string): number | undefined {
    const nowMs = this.#clock.now();
    const seen = this.#seen.get(webhookId) ?? { sinceMs: nowMs, written: 0, unwritten: 0 };
    this.#seen.set(webhookId, seen);
    if (nowMs - seen.sinceMs >= MINUTE_MS) Object.assign(seen, { sinceMs: nowMs, written: 0 });
    if (seen.written >= PER_MINUTE) {
      seen.unwritten++;
      return undefined;
    }
    const { unwritten } = seen;
    Object.assign(seen, { written: seen.written + 1, unwritten: 0 });
    return unwritten;
  }
}
