import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogFilter } from '../../core/filter.ts';
import { LEVELS, type Level } from '../../core/level.ts';
import { READ_ROWS } from '../../core/limits.ts';
import type { Count, Histogram, HistogramBucket, LogStats } from '../../core/query.ts';
import { isoTime } from '../../core/time.ts';
import type { Database } from './database.ts';
import type { Facets } from './facets.ts';
import { type Block, Scan } from './scan.ts';
import type { TaskRow } from './task-row.ts';

export interface Summed {
  readonly task: TaskRow;
  readonly filter: LogFilter;
}

/** Counters of a task, by facet. */
export function statsOf(db: Database, facets: Facets, task: TaskRow): LogStats {
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
  db: Database,
  facets: Facets,
  { task, filter, budgetMs }: Summed & { budgetMs: number },
): Promise<Count> {
  const endMs = performance.now() + budgetMs;
  const scan = new Scan(db, facets, { taskNo: task.task_no, filter });
  let total = 0;
  let visited = 0;
  for (const block of scan.blocks(1, task.last_seq, 'asc')) {
    if (block.atMost === 0) continue;
    if (block.whole) {
      total += block.atMost;
      continue;
    }
    if (visited > 0 && performance.now() >= endMs) return { total, exact: false };
    for (const _line of scan.lines(block.firstSeq, block.lastSeq, 'asc')) total += 1;
    visited += block.lastSeq - block.firstSeq + 1;
    if (visited % READ_ROWS < block.lastSeq - block.firstSeq + 1) await nextTurn();
  }
  return { total, exact: true };
}

/**
 * Matching lines per time bucket and level. `from` and `to` are the earliest and the latest matching line; a bucket is their
 * distance / buckets wide, rounded up to a whole millisecond, at least 1 ms; the last bucket holds `to`.
 */
export async function histogramOf(
  db: Database,
  facets: Facets,
  { task, filter, buckets }: Summed & { buckets: number },
): Promise<Histogram> {
  const scan = new Scan(db, facets, { taskNo: task.task_no, filter });
  const span = await spanOf(scan, task.last_seq);
  if (!span) return { from: null, to: null, widthMs: 1, exact: true, buckets: [] };
  const fromMs = Date.parse(span.from);
  const spanMs = Date.parse(span.to) - fromMs;
  const widthMs = Math.max(1, Math.ceil(spanMs / buckets));
  const last = Math.min(buckets - 1, Math.floor(spanMs / widthMs));
  const counted = Array.from({ length: last + 1 }, () => ({ DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 }));
  const count = (timestamp: string, facetNo: number, lines: number): void => {
    const place = Math.min(last, Math.floor((Date.parse(timestamp) - fromMs) / widthMs));
    const byLevel = counted[place];
    if (byLevel) byLevel[facets.facet(facetNo).level] += lines;
  };
  const placeOf = (timestamp: string) => Math.floor((Date.parse(timestamp) - fromMs) / widthMs);
  for (const block of scan.blocks(1, task.last_seq, 'asc')) {
    if (block.atMost === 0) continue;
    if (block.whole && placeOf(block.firstAt) === placeOf(block.lastAt)) {
      for (const [facetNo, lines] of block.counts) count(block.firstAt, facetNo, lines);
      continue;
    }
    for (const line of scan.lines(block.firstSeq, block.lastSeq, 'asc')) count(line.timestamp, line.facet_no, 1);
    await nextTurn();
  }
  return {
    from: span.from,
    to: span.to,
    widthMs,
    exact: true,
    buckets: counted.map((byLevel, place) => bucketAt(fromMs + place * widthMs, byLevel)),
  };
}

/** The earliest and latest matching line. A block inside the span found so far need not be looked into. */
async function spanOf(scan: Scan, lastSeq: number): Promise<{ from: string; to: string } | undefined> {
  let span: { from: string; to: string } | undefined;
  const widen = (from: string, to: string): void => {
    span = { from: !span || from < span.from ? from : span.from, to: !span || to > span.to ? to : span.to };
  };
  const inside = (block: Block) => span !== undefined && block.firstAt >= span.from && block.lastAt <= span.to;
  for (const block of scan.blocks(1, lastSeq, 'asc')) {
    if (block.atMost === 0 || inside(block)) continue;
    // Without a narrowing filter every line of the block matches, its ends too.
    if (block.whole && scan.facets === undefined) {
      widen(block.firstAt, block.lastAt);
      continue;
    }
    for (const { timestamp } of scan.lines(block.firstSeq, block.lastSeq, 'asc')) widen(timestamp, timestamp);
    await nextTurn();
  }
  return span;
}

function bucketAt(ms: number, byLevel: Record<Level, number>): HistogramBucket {
  return { timestamp: isoTime(ms), total: LEVELS.reduce((sum, level) => sum + byLevel[level], 0), byLevel };
}
