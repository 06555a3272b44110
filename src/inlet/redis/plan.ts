import type { EventStep } from '../../core/event.ts';
import type { Clock } from '../../core/time.ts';
import { readEvent } from './event.ts';
import { isAfter, type StreamEntry } from './stream.ts';

/** An entry that was understood. */
export type Planned = EventStep & { readonly id: string };

/** What entries that follow each other mean, ready to be committed together. */
export class Plan {
  /** All of them, also those that were stored before. */
  readonly ids: string[] = [];
  readonly planned: Planned[] = [];
  readonly poison: { readonly id: string; readonly reason: string }[] = [];
  readonly skipped: string[] = [];
  /** The last one that was not stored before; null when all were. */
  to: string | null = null;
  chars = 0;
  readonly #place: string | null;
  readonly #refused: ReadonlyMap<string, string>;
  readonly #clock: Clock;

  /** What is at or before `place` was stored, or `refused` with a reason. */
  constructor(place: string | null, refused: ReadonlyMap<string, string>, clock: Clock) {
    this.#place = place;
    this.#refused = refused;
    this.#clock = clock;
  }

  add(entries: readonly StreamEntry[]): void {
    const nowMs = this.#clock.now();
    for (const { id, fields } of entries) {
      this.ids.push(id);
      for (const text of fields) this.chars += text.length;
      if (this.to === null && this.#place !== null && !isAfter(id, this.#place)) {
        const reason = this.#refused.get(id);
        if (reason !== undefined) this.poison.push({ id, reason });
        continue;
      }
      this.to = id;
      const read = readEvent(fields, nowMs);
      if (read.kind === 'step') this.planned.push({ ...read.step, id });
      else if (read.kind === 'skipped') this.skipped.push(`${id}: ${read.reason}`);
      else this.poison.push({ id, reason: read.reason });
    }
  }
}
