import { EXACT_DURATIONS } from './limits.ts';

/** How many durations fell into each bucket, by the bucket's number. */
export type Buckets = Readonly<Record<string, number>>;

/** Each bucket is this much wider than the one before: what lies in it is known to 2.5 %. */
const GROWTH = Math.log(1.05);
/** No time at all has no logarithm. */
const NOTHING = 'zero';

export function bucketOf(seconds: number): string {
  return seconds > 0 ? String(Math.round(Math.log(seconds) / GROWTH)) : NOTHING;
}

export function secondsOf(bucket: string): number {
  return bucket === NOTHING ? 0 : Math.exp(Number(bucket) * GROWTH);
}

export function bucketsOf(seconds: Iterable<number>, known: Buckets = {}): Buckets {
  const counts: Record<string, number> = { ...known };
  for (const value of seconds) {
    const bucket = bucketOf(value);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

/** Durations as they are, and others that are only known by their buckets. */
export class Durations {
  readonly #values: ArrayLike<number>[] = [];
  readonly #buckets = new Map<string, number>();
  #count = 0;
  #bucketed = 0;

  add(values: ArrayLike<number>): void {
    if (values.length === 0) return;
    if (this.#count + values.length > EXACT_DURATIONS) {
      this.addBuckets(bucketsOf(Array.from(values)));
      return;
    }
    this.#values.push(values);
    this.#count += values.length;
  }

  addBuckets(buckets: Buckets): void {
    for (const [bucket, count] of Object.entries(buckets)) {
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
      this.#bucketed += count;
    }
  }

  addAll(others: Durations): void {
    for (const values of others.#values) this.add(values);
    this.addBuckets(Object.fromEntries(others.#buckets));
  }

  get exact(): boolean {
    return this.#bucketed === 0;
  }

  /** The shortest durations that so many of 100 do not exceed (nearest rank); null when there is none. */
  percentiles(percents: readonly number[]): readonly (number | null)[] {
    const total = this.#count + this.#bucketed;
    if (total === 0) return percents.map(() => null);
    const values = new Float64Array(this.#count);
    let filled = 0;
    for (const part of this.#values) {
      values.set(part, filled);
      filled += part.length;
    }
    values.sort();
    const buckets = [...this.#buckets]
      .map(([bucket, count]) => ({ seconds: secondsOf(bucket), count }))
      .sort((a, b) => a.seconds - b.seconds);
    // In whole numbers, so that 95 of 100 is the 95th and not the one behind it.
    return percents.map((percent) => ranked(values, buckets, Math.max(1, Math.ceil((percent * total) / 100))));
  }
}

interface Bucket {
  readonly seconds: number;
  readonly count: number;
}

/** The duration at a rank (1, 2, 3 …) of the sorted values and the sorted buckets together. */
function ranked(values: Float64Array, buckets: readonly Bucket[], rank: number): number {
  let before = 0;
  for (const { seconds, count } of buckets) {
    const smaller = countUpTo(values, seconds);
    if (rank <= smaller + before) return values[rank - before - 1] ?? seconds;
    before += count;
    if (rank <= smaller + before) return seconds;
  }
  return values[rank - before - 1] ?? 0;
}

/** How many of the sorted values do not exceed a limit. */
function countUpTo(values: Float64Array, limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
