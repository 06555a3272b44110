/** A stretch of positions: `count` from `start` on. */
export interface Stretch {
  readonly start: number;
  readonly count: number;
}

export const PAGE_ROWS = 200;

/** A page on either side of what is seen, for what the reader scrolls to next. */
export function nearOf(seen: readonly Stretch[]): readonly Stretch[] {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [
    { start: first.start - PAGE_ROWS, count: PAGE_ROWS },
    { start: last.start + last.count, count: PAGE_ROWS },
  ];
}

/**
 * Lines by position, in pages of 200. A page fills from its start; pages that were not looked at for longest are dropped, so memory does
 * not grow with the task. Positions of stored lines never change, so a page that is here is right for ever.
 */
export class LinePages<T> {
  readonly #maxPages: number;
  readonly #maxChars: number;
  readonly #charsOf: (row: T) => number;
  /** In order of use: the first was not used for longest. */
  readonly #pages = new Map<number, { rows: T[]; chars: number }>();
  #chars = 0;

  constructor(options: { maxPages: number; maxChars: number; charsOf: (row: T) => number }) {
    this.#maxPages = options.maxPages;
    this.#maxChars = options.maxChars;
    this.#charsOf = options.charsOf;
  }

  get size(): number {
    return [...this.#pages.values()].reduce((sum, page) => sum + page.rows.length, 0);
  }

  at(position: number): T | undefined {
    return this.#pages.get(Math.floor(position / PAGE_ROWS))?.rows[position % PAGE_ROWS];
  }

  /** Keep rows that stand from `start` on. Rows that do not touch what their page holds are left out: they can be read again. */
  put(start: number, rows: readonly T[]): void {
    rows.forEach((row, index) => {
      this.#putOne(start + index, row);
    });
    this.#evict();
  }

  /** The first stretch within the wanted one that is not here, at most to the end of its page. */
  missing(wanted: Stretch): Stretch | undefined {
    const end = wanted.start + wanted.count;
    for (let at = Math.max(0, wanted.start); at < end; at = pageEnd(at)) {
      const page = Math.floor(at / PAGE_ROWS);
      const held = page * PAGE_ROWS + this.#use(page);
      const stop = Math.min(end, pageEnd(at));
      if (held < stop) return { start: held, count: pageEnd(at) - held };
    }
    return undefined;
  }

  clear(): void {
    this.#pages.clear();
    this.#chars = 0;
  }

  /** Mark a page as used; how many rows it holds. */
  #use(index: number): number {
    const page = this.#pages.get(index);
    if (page === undefined) return 0;
    this.#pages.delete(index);
    this.#pages.set(index, page);
    return page.rows.length;
  }

  #putOne(position: number, row: T): void {
    const index = Math.floor(position / PAGE_ROWS);
    const page = this.#pages.get(index) ?? { rows: [], chars: 0 };
    if (page.rows.length !== position % PAGE_ROWS) return;
    const chars = this.#charsOf(row);
    page.rows.push(row);
    page.chars += chars;
    this.#chars += chars;
    this.#pages.set(index, page);
  }

  #evict(): void {
    for (const [index, page] of this.#pages) {
      if (this.#pages.size <= 2) return;
      if (this.#pages.size <= this.#maxPages && this.#chars <= this.#maxChars) return;
      this.#pages.delete(index);
      this.#chars -= page.chars;
    }
  }
}

/**
 * The positions that are further than `around` from every line in a list of all lines, where line `seq` stands at `seq - 1`.
 * @param seqs in order
 */
export function stretchesOutside(seqs: readonly number[], around: number, rows: number): readonly Stretch[] {
  const outside: Stretch[] = [];
  let from = 0;
  for (const seq of seqs) {
    const start = seq - 1 - around;
    if (start > from) outside.push({ start: from, count: start - from });
    from = Math.max(from, seq + around);
  }
  if (from < rows) outside.push({ start: from, count: rows - from });
  return outside;
}

function pageEnd(position: number): number {
  return (Math.floor(position / PAGE_ROWS) + 1) * PAGE_ROWS;
}
