/** Filters of tasks that are remembered, and blocks of each: 128 million lines. */
const FILTERS = 16;
const BLOCKS = 131_072;

/**
 * How many lines matched in blocks that a read looked through. A full block never changes, so the next page, a count or an offset need
 * not look again. Two bytes a block.
 */
export class Looked {
  readonly #counts = new Map<string, Uint16Array>();

  /** Undefined when the block was not looked through, or not lately. */
  matches(key: string, blockNo: number): number | undefined {
    const noted = this.#counts.get(key)?.[blockNo];
    return noted ? noted - 1 : undefined;
  }

  note(key: string, blockNo: number, matches: number): void {
    if (blockNo >= BLOCKS) return;
    const counts = this.#of(key, blockNo);
    // 0 is not looked at.
    counts[blockNo] = matches + 1;
  }

  #of(key: string, blockNo: number): Uint16Array {
    const known = this.#counts.get(key);
    if (known && blockNo < known.length) return known;
    const counts = new Uint16Array(Math.min(BLOCKS, Math.max(64, 2 * blockNo)));
    counts.set(known ?? []);
    this.#counts.delete(key);
    this.#counts.set(key, counts);
    if (this.#counts.size > FILTERS) this.#counts.delete(this.#counts.keys().next().value ?? '');
    return counts;
  }
}
