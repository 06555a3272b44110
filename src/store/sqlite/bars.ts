import { LEVELS, type Level } from '../../core/level.ts';
import type { Histogram, HistogramBucket } from '../../core/query.ts';
import { isoTime } from '../../core/time.ts';

/** Equal buckets over a span, with lines counted into them. */
export class Bars {
  readonly #from: string;
  readonly #to: string;
  readonly #fromMs: number;
  readonly #widthMs: number;
  readonly #bars: readonly Record<Level, number>[];

  constructor({ from, to }: { readonly from: string; readonly to: string }, buckets: number) {
    this.#from = from;
    this.#to = to;
    this.#fromMs = Date.parse(from);
    const spanMs = Date.parse(to) - this.#fromMs;
    this.#widthMs = Math.max(1, Math.ceil(spanMs / buckets));
    const length = Math.min(buckets - 1, Math.floor(spanMs / this.#widthMs)) + 1;
    this.#bars = Array.from({ length }, () => ({ DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 }));
  }

  /** Whether both moments lie in the same bucket. */
  isOne(firstMs: number, lastMs: number): boolean {
    return this.#placeOf(firstMs) === this.#placeOf(lastMs);
  }

  /** Where the bucket ends that holds a moment: the last one never does. */
  endOf(ms: number): number {
    const place = this.#placeOf(ms) + 1;
    return place < this.#bars.length ? this.#fromMs + place * this.#widthMs : Number.POSITIVE_INFINITY;
  }

  add(ms: number, level: Level, lines: number): void {
    // A span that was cut short does not hold every line.
    const byLevel = this.#bars[Math.max(0, Math.min(this.#bars.length - 1, this.#placeOf(ms)))];
    if (byLevel) byLevel[level] += lines;
  }

  histogram(exact: boolean): Histogram {
    const buckets = this.#bars.map((byLevel, place) => bucketAt(this.#fromMs + place * this.#widthMs, byLevel));
    return { from: this.#from, to: this.#to, widthMs: this.#widthMs, exact, buckets };
  }

  #placeOf(ms: number): number {
    return Math.floor((ms - this.#fromMs) / this.#widthMs);
  }
}

function bucketAt(ms: number, byLevel: Record<Level, number>): HistogramBucket {
  return { timestamp: isoTime(ms), total: LEVELS.reduce((sum, level) => sum + byLevel[level], 0), byLevel };
}
