import type { Json } from '../../core/entry.ts';
import { isoTime } from '../../core/time.ts';

/** How far a task was looked at. */
export interface Place {
  readonly seq: number;
  readonly seenMs: number;
  /** Rules about tasks that have counted it. */
  readonly counted: readonly string[];
}

/** Tasks that are remembered, over a restart too: this is written with every place, so it must stay small. */
const PLACES = 2_000;

/** The last line of each task that was looked at; the one that was looked at longest ago is forgotten first. */
export class Places {
  readonly #places = new Map<string, Place>();
  /** In a task that is older and not known only lines from then on count: the others may have been counted. */
  #from = '';

  get from(): string {
    return this.#from;
  }

  /** The very first start: what was there before is no news. */
  begin(since: string): void {
    if (this.#from === '') this.#from = since;
  }

  of(taskId: string): Place | undefined {
    return this.#places.get(taskId);
  }

  set(taskId: string, place: Place): void {
    this.#places.delete(taskId);
    this.#places.set(taskId, place);
    if (this.#places.size <= PLACES) return;
    const [first] = this.#places;
    if (!first) return;
    this.#places.delete(first[0]);
    const seenAt = isoTime(first[1].seenMs);
    if (seenAt > this.#from) this.#from = seenAt;
  }

  forget(taskId: string): void {
    this.#places.delete(taskId);
  }

  write(): Json {
    const places = [...this.#places].map(([id, { seq, seenMs, counted }]): Json => [id, seq, seenMs, ...counted]);
    return { from: this.#from, places };
  }

  read(saved: Json | undefined): void {
    const { from, places } = (saved ?? {}) as { from?: unknown; places?: unknown };
    if (typeof from !== 'string' || !Array.isArray(places)) return;
    this.#from = from;
    // Nobody else writes it.
    for (const [taskId, seq, seenMs, ...counted] of places as [string, number, number, ...string[]][]) {
      this.#places.set(taskId, { seq, seenMs, counted });
    }
  }
}
