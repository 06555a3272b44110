import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogFilter } from '../../core/filter.ts';
import { LEVELS, type Level } from '../../core/level.ts';
import type { Count, Histogram, HistogramBucket, LogStats } from '../../core/query.ts';
import { isoTime } from '../../core/time.ts';
import type { LineRow } from './chunk.ts';
import { type Block, Scan, type Tables } from './scan.ts';
import { scanned, type TaskRow } from './task-row.ts';

/** Time that a histogram of a text filter may take. */
const HISTOGRAM_MS = 2_000;

export interface Summed {
  readonly task: TaskRow;
  readonly filter: LogFilter;
}

/** Counters of a task, by facet. */
export function statsOf({ db, facets }: Tables, task: TaskRow): LogStats {
  const bySource = new Map<string, number>();
  const byStream = new Map<string, number>();
  const byType = new Map<string, number>();
  const rows = db.all<{ facet_no: number; lines: number }>(
    'SELECT facet_no, lines FROM task_facets WHERE task_no = ?',
    task.task_no,
  );
  for (const { facet_no, lines } of rows) {
    const { source, stream, type } = facets.facet(facet_no);
    bySource.set(source, (bySource.get(source) ?? 0) + lines);
    byStream.set(stream ?? 'none', (byStream.get(stream ?? 'none') ?? 0) + lines);
    byType.set(type, (byType.get(type) ?? 0) + lines);
  }
  const span = db.get<{ first_at: string | null; last_at: string | null }>(
    'SELECT first_at, last_at FROM trails WHERE task_no = ?',
    task.task_no,
  );
  return {
    total: task.last_seq,
    byLevel: { DEBUG: task.debug_lines, INFO: task.info_lines, WARNING: task.warning_lines, ERROR: task.error_lines },
    bySource: Object.fromEntries(bySource),
    byStream: Object.fromEntries(byStream),
    byType: Object.fromEntries(byType),
    firstTimestamp: span?.first_at ?? null,
    lastTimestamp: span?.last_at ?? null,
    lost: task.lost,
  };
}

/** Count by the summaries of blocks; only where they cannot tell are lines looked at, in short reads, while time is left. */
export async function countLines(
  tables: Tables,
  { task, filter, budgetMs }: Summed & { budgetMs: number },
): Promise<Count> {
  const walk = new Walk(new Scan(tables, scanned(task), filter), budgetMs);
  let total = 0;
  for (const block of walk.scan.blocks(1, task.last_seq, 'asc')) {
    if (block.atMost === 0) continue;
    if (block.whole) {
      total += block.atMost;
      continue;
    }
    await walk.look(block, () => {
      total += 1;
    });
    if (walk.over) break;
  }
  return { total, exact: !walk.over };
}

/**
 * Matching lines per time bucket and level. `from` and `to` are the earliest and the latest matching line; a bucket is their
 * distance / buckets wide, rounded up to a whole millisecond, at least 1 ms; the last bucket holds `to`. A text filter over
 * many lines may not be done in time; what was found then is answered as inexact.
 */
export async function histogramOf(
  tables: Tables,
  { task, filter, buckets }: Summed & { buckets: number },
): Promise<Histogram> {
  const walk = new Walk(new Scan(tables, scanned(task), filter), HISTOGRAM_MS);
  const span = await spanOf(walk, task.last_seq);
  if (!span) return { from: null, to: null, widthMs: 1, exact: !walk.over, buckets: [] };
  const bars = new Bars(span, buckets);
  for (const block of walk.scan.blocks(1, task.last_seq, 'asc')) {
    if (block.atMost === 0) continue;
    const firstMs = Date.parse(block.firstAt);
    if (block.whole && bars.isOne(firstMs, Date.parse(block.lastAt))) {
      for (const [facetNo, lines] of block.counts) bars.add(firstMs, tables.facets.facet(facetNo).level, lines);
      continue;
    }
    await walk.look(block, (line) => bars.add(Date.parse(line.timestamp), tables.facets.facet(line.facet_no).level, 1));
    if (walk.over) break;
  }
  return bars.histogram(!walk.over);
}

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

/** The earliest and latest matching line. A block inside the span found so far need not be looked into. */
async function spanOf(walk: Walk, lastSeq: number): Promise<{ from: string; to: string } | undefined> {
  const { scan } = walk;
  let span: { from: string; to: string } | undefined;
  const widen = (from: string, to: string): void => {
    span = { from: !span || from < span.from ? from : span.from, to: !span || to > span.to ? to : span.to };
  };
  const inside = (block: Block) => span !== undefined && block.firstAt >= span.from && block.lastAt <= span.to;
  for (const block of scan.blocks(1, lastSeq, 'asc')) {
    if (block.atMost === 0 || inside(block)) continue;
    if (block.all) {
      widen(block.firstAt, block.lastAt);
      continue;
    }
    await walk.look(block, ({ timestamp }) => widen(timestamp, timestamp));
    if (walk.over) break;
  }
  return span;
}

/** Looking into many blocks, with turns for other readers in between, until the time is up. The first look is always made. */
class Walk {
  readonly scan: Scan;
  /** The time was up before everything was looked at. */
  over = false;
  readonly #endMs: number;
  #started = false;

  constructor(scan: Scan, budgetMs: number) {
    this.scan = scan;
    this.#endMs = performance.now() + budgetMs;
  }

  async look(block: Block, visit: (line: LineRow) => void): Promise<void> {
    for (let from = block.lookFrom; from <= block.lastSeq; ) {
      this.over = this.#started && performance.now() >= this.#endMs;
      if (this.over) return;
      this.#started = true;
      for (const line of this.scan.lines(from, block.lastSeq, 'asc')) visit(line);
      from = (this.scan.stoppedAt ?? block.lastSeq) + 1;
      await nextTurn();
    }
  }
}

function bucketAt(ms: number, byLevel: Record<Level, number>): HistogramBucket {
  return { timestamp: isoTime(ms), total: LEVELS.reduce((sum, level) => sum + byLevel[level], 0), byLevel };
}
