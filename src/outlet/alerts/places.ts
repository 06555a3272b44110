import type { Json } from '../../core/entry.ts';
import { isoTime } from '../../core/time.ts';

/** How far a task was looked at. */
export interface Place {
  readonly seq: number;
  /** Whether the task had ended. */
  readonly ended: boolean;
  /** The store's number of the task. */
  readonly number: number;
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
  /** In a task that is not known, although its number is no greater than this, only lines from then on count: it was there, or is forgotten. */
  #from = '';
  #number = 0;

  get from(): string {
    return this.#from;
  }

  /** The greatest number of a task that was there at the very first start, or is forgotten. */
  get number(): number {
    return this.#number;
  }

  /** The very first start: what was there before is no news. */
  begin(since: string, number: number): void {
    this.#from = since;
    this.#number = number;
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
    const places = [...this.#places].map(([id, { seq, ended, number, seenMs, counted }]): Json => {
      return [id, seq, ended, number, seenMs, ...counted];
    });
    return { from: this.#from, number: this.#number, places };
  }

  read(saved: Json | undefined): void {
    const { from, number, places } = (saved ?? {}) as { from?: unknown; number?: unknown; places?: unknown };
    if (typeof from !== 'string' || typeof number !== 'number' || !Array.isArray(places)) return;
    this.begin(from, number);
    // Nobody else writes it.
    type Written = [string, number, boolean, number, number, ...string[]];
    for (const [taskId, seq, ended, number, seenMs, ...counted] of places as Written[]) {
      this.set(taskId, { seq, ended, number, seenMs, counted });
    }
  }

  #forgetFirst(): void {
    const [first] = this.#places;
    if (!first) return;
    this.forget(first[0]);
    const seenAt = isoTime(first[1].seenMs);
    if (seenAt > this.#from) this.#from = seenAt;
    this.#number = Math.max(this.#number, first[1].number);
  }
}
