import type { Draft, EntryType, Stream } from '../../core/entry.ts';
import { taskFacts } from '../../core/expr.ts';
import type { LogFilter } from '../../core/filter.ts';
import { LEVELS, type Level } from '../../core/level.ts';
import { BLOCK_LINES, READ_BYTES, READ_ROWS } from '../../core/limits.ts';
import { EntryPage } from '../../core/page.ts';
import { predicate } from '../../core/predicate.ts';
import type { Count, Histogram, HistogramBucket, LogStats, ReadQuery } from '../../core/query.ts';
import type { Task } from '../../core/task.ts';
import { isoTime } from '../../core/time.ts';
import { entryJson } from '../../core/wire.ts';

/** One task's lines: the line with seq N lies at N - 1. */
export type Lines = readonly Draft[];

export interface Trail {
  readonly task: Task;
  readonly lines: Lines;
}

/**
 * One page of lines.
 *
 * The window is after < seq < before. A page visits at most READ_ROWS lines of it, from the end that `order` names, and
 * stops at the `limit`th match. How far it came:
 * - asc: every line of the window with seq ≤ `scannedTo` was looked at. The next page is `after: scannedTo`. A page that is
 *   done came to the task's last line (before - 1 when `before` is below it), and never behind `after`.
 * - desc: every line of the window with seq ≥ `scannedTo` was looked at. The next page is `before: scannedTo`. A page that
 *   is done came to after + 1.
 * `firstSeq` and `lastSeq` are the lowest and the highest seq in the page, in either order.
 */
export function readPage({ task, lines }: Trail, query: ReadQuery): EntryPage {
  const { filter = {}, after = 0, before = Number.POSITIVE_INFINITY, offset = 0, order = 'asc' } = query;
  const limit = Math.min(query.limit, READ_ROWS);
  const maxBytes = Math.min(query.maxBytes ?? READ_BYTES, READ_BYTES);
  const passes = predicate(filter, taskFacts(task));
  const lowest = Math.max(after, 0) + 1;
  const highest = Math.min(before - 1, lines.length);
  const step = order === 'asc' ? 1 : -1;
  const seqs: number[] = [];
  const json: string[] = [];
  let skipped = 0;
  let seq = order === 'asc' ? lowest : highest;
  let bytes = 0;
  for (let visited = 0; visited < READ_ROWS && json.length < limit && bytes < maxBytes; visited++, seq += step) {
    const line = seq < lowest || seq > highest ? undefined : lines[seq - 1];
    if (line === undefined) break;
    if (!passes(line)) continue;
    if (skipped < offset) {
      skipped++;
      continue;
    }
    seqs.push(seq);
    const text = entryJson(task.taskId, seq, line);
    bytes += text.length;
    json.push(text);
  }
  const done = seq < lowest || seq > highest;
  return new EntryPage({
    json: `[${json.join(',')}]`,
    count: json.length,
    firstSeq: (order === 'asc' ? seqs[0] : seqs.at(-1)) ?? null,
    lastSeq: (order === 'asc' ? seqs.at(-1) : seqs[0]) ?? null,
    skipped,
    scannedTo: order === 'asc' ? seq - 1 : done ? lowest : seq + 1,
    done,
  });
}

/** Count what a filter matches, looking at the clock once a block. */
export function countMatches({ task, lines }: Trail, filter: LogFilter, budgetMs: number): Count {
  const passes = predicate(filter, taskFacts(task));
  const endMs = performance.now() + budgetMs;
  let total = 0;
  for (let start = 0; start < lines.length; start += BLOCK_LINES) {
    if (start > 0 && performance.now() >= endMs) return { total, exact: false };
    total += lines.slice(start, start + BLOCK_LINES).filter(passes).length;
  }
  return { total, exact: true };
}

export function statsOf(lines: Lines, lost: number): LogStats {
  const times = lines.map((line) => line.timestamp).sort();
  return {
    total: lines.length,
    byLevel: { ...noLevels(), ...tally(lines.map((line) => line.level)) },
    bySource: tally(lines.map((line) => line.source)),
    byStream: tally(lines.map((line): Stream | 'none' => line.stream ?? 'none')),
    byType: tally(lines.map((line): EntryType => line.type)),
    firstTimestamp: times[0] ?? null,
    lastTimestamp: times.at(-1) ?? null,
    lost,
  };
}

/**
 * Matching lines per time bucket. `from` and `to` are the earliest and the latest matching line; a bucket is
 * (to - from) / buckets wide, rounded up to a whole millisecond, at least 1 ms. Buckets end with the one that holds `to`, so
 * a short span has fewer than asked for. Where the widths add up to the span exactly, the last bucket takes `to` as well.
 */
export function histogramOf({ task, lines }: Trail, filter: LogFilter, buckets: number): Histogram {
  return histogramOfLines(lines.filter(predicate(filter, taskFacts(task))), buckets);
}

/** The same of lines that all match. */
export function histogramOfLines(matching: Lines, buckets: number): Histogram {
  const times = matching.map((line) => line.timestamp).sort();
  const from = times[0] ?? null;
  const to = times.at(-1) ?? null;
  if (from === null || to === null) return { from, to, widthMs: 1, exact: true, buckets: [] };
  const fromMs = Date.parse(from);
  const spanMs = Date.parse(to) - fromMs;
  const widthMs = Math.max(1, Math.ceil(spanMs / buckets));
  const last = Math.min(buckets - 1, Math.floor(spanMs / widthMs));
  const counted = Array.from({ length: last + 1 }, () => noLevels());
  for (const line of matching) {
    const place = Math.min(last, Math.floor((Date.parse(line.timestamp) - fromMs) / widthMs));
    const byLevel = counted[place];
    if (byLevel) byLevel[line.level]++;
  }
  const bucketAt = (byLevel: Record<Level, number>, place: number): HistogramBucket => ({
    timestamp: isoTime(fromMs + place * widthMs),
    total: LEVELS.reduce((sum, level) => sum + byLevel[level], 0),
    byLevel,
  });
  return { from, to, widthMs, exact: true, buckets: counted.map(bucketAt) };
}

/** How often each word occurs. Words are users' own, so they never become keys by assignment. */
export function tally<K extends string>(words: readonly K[]): Record<K, number> {
  const counts = new Map<K, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries(counts) as Record<K, number>;
}

export function noLevels(): Record<Level, number> {
  return { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 };
}
