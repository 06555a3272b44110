import type { Json } from '../../core/entry.ts';
import { isoTime } from '../../core/time.ts';

/** How far a task was looked at. */
export interface Place {
  readonly seq: number;
  readonly seenMs: number;
  /** Marks of rules about tasks that have counted it. */
  readonly counted: readonly string[];
}

/** Tasks that are remembered, over a restart too: this is written with every place, so it must stay small. */
const PLACES = 2_000;
/** Marks that all of them have together. */
const MARKS = 20_000;

/** The last line of each task that was looked at; the one that was looked at longest ago is forgotten first. */
export class Places {
  readonly #places = new Map<string, Place>();
  #marks = 0;
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
    this.forget(taskId);
    this.#places.set(taskId, place);
    this.#marks += place.counted.length;
    while (this.#places.size > 1 && (this.#places.size > PLACES || this.#marks > MARKS)) this.#forgetFirst();
  }

  forget(taskId: string): void {
    this.#marks -= this.#places.get(taskId)?.counted.length ?? 0;
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
      this.set(taskId, { seq, seenMs, counted });
    }
  }

  #forgetFirst(): void {
    const [first] = this.#places;
    if (!first) return;
    this.forget(first[0]);
    const seenAt = isoTime(first[1].seenMs);
    if (seenAt > this.#from) this.#from = seenAt;
  }
}
