import { isNewer, type SearchPlace } from '../../core/search.ts';

/** Things with a place, of which the newest is always at hand. */
export class PlaceHeap<T extends { readonly upper: SearchPlace }> {
  readonly #items: T[] = [];

  get newest(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#before(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  /** Take the newest one away. */
  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (!last || items.length === 0) return;
    items[0] = last;
    for (let at = 0; ; ) {
      let first = at;
      for (const below of [2 * at + 1, 2 * at + 2])
        if (below < items.length && this.#before(below, first)) first = below;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #before(a: number, b: number): boolean {
    const [one, other] = [this.#items[a], this.#items[b]];
    return one !== undefined && other !== undefined && isNewer(one.upper, other.upper);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#items[a], this.#items[b]];
    if (!one || !other) return;
    this.#items[a] = other;
    this.#items[b] = one;
  }
}
