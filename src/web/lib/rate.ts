const SPAN_MS = 1_000;

/** How many lines came within the last second. */
export class LineRate {
  readonly #batches: { readonly atMs: number; readonly lines: number }[] = [];

  /** Count lines that just came, and answer how many came within a second. */
  add(lines: number, nowMs: number): number {
    this.#batches.push({ atMs: nowMs, lines });
    while ((this.#batches[0]?.atMs ?? nowMs) <= nowMs - SPAN_MS) this.#batches.shift();
    return this.#batches.reduce((sum, batch) => sum + batch.lines, 0);
  }
}
