import type { Stretch } from './pages.ts';

/**
 * Which rows of a list are folded away, as stretches that do not touch, with how many rows are folded before each. All questions are
 * answered in the time of a search, so that a list of millions may have thousands of folds.
 */
export interface Folds {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Rows folded before each stretch. */
  readonly before: readonly number[];
  readonly hidden: number;
}

export const NO_FOLDS: Folds = { starts: [], ends: [], before: [], hidden: 0 };

/** Join stretches of a list of so many rows; they may overlap, lie within one another, and reach beyond the list. */
export function foldsOf(stretches: readonly Stretch[], rows: number): Folds {
  const sorted = stretches
    .map(({ start, count }) => ({ start, count: Math.min(count, rows - start) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.start - b.start);
  if (sorted.length === 0) return NO_FOLDS;
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { start, count } of sorted) {
    const end = ends.at(-1);
    if (end !== undefined && start <= end) ends[ends.length - 1] = Math.max(end, start + count);
    else {
      starts.push(start);
      ends.push(start + count);
    }
  }
  let hidden = 0;
  const before = starts.map((start, n) => {
    const sum = hidden;
    hidden += (ends[n] ?? start) - start;
    return sum;
  });
  return { starts, ends, before, hidden };
}

export function isFolded(folds: Folds, row: number): boolean {
  const n = lastAtMost(folds.starts, row);
  return n !== -1 && row < (folds.ends[n] ?? 0);
}

/** The place of a row among those that are shown; of a folded one that of the next shown. */
export function shownIndex(folds: Folds, row: number): number {
  const n = lastAtMost(folds.starts, row);
  if (n === -1) return row;
  const [start = 0, end = 0, before = 0] = [folds.starts[n], folds.ends[n], folds.before[n]];
  return row < end ? start - before : row - before - (end - start);
}

/** The row at a place among those that are shown. */
export function rowOfShown(folds: Folds, index: number): number {
  let [low, high] = [0, folds.starts.length];
  // How many stretches begin before the row: those whose start, less what is folded before it, is not beyond the place.
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((folds.starts[middle] ?? 0) - (folds.before[middle] ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  const n = low - 1;
  if (n === -1) return index;
  return index + (folds.before[n] ?? 0) + (folds.ends[n] ?? 0) - (folds.starts[n] ?? 0);
}

/** Rows in order as stretches: those that follow one another together. */
export function stretchesOf(rows: readonly number[]): readonly Stretch[] {
  const stretches: { start: number; count: number }[] = [];
  for (const row of rows) {
    const last = stretches.at(-1);
    if (last && last.start + last.count === row) last.count += 1;
    else stretches.push({ start: row, count: 1 });
  }
  return stretches;
}

/** The first answer that there is. */
export function firstOf<T, U>(values: readonly T[], ask: (value: T) => U | undefined): U | undefined {
  for (const value of values) {
    const answer = ask(value);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** The index of the last value that is not above the limit; -1 when all are. */
function lastAtMost(values: readonly number[], limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
