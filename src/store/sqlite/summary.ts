import { setImmediate as nextTurn } from 'node:timers/promises';
import { isOpenFilter, type LogFilter } from '../../core/filter.ts';
import type { Count, Histogram, LogStats } from '../../core/query.ts';
import { earlier, later } from '../../core/time.ts';
import { Bars } from './bars.ts';
import type { LineRow } from './chunk.ts';
import type { Database } from './database.ts';
import { type Block, Scan, type Tables } from './scan.ts';
import { spread } from './spread.ts';
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
  const span = spanOfTask(db, task.task_no);
  return {
    total: task.last_seq,
    byLevel: { DEBUG: task.debug_lines, INFO: task.info_lines, WARNING: task.warning_lines, ERROR: task.error_lines },
    bySource: Object.fromEntries(bySource),
    byStream: Object.fromEntries(byStream),
    byType: Object.fromEntries(byType),
    firstTimestamp: span?.from ?? null,
    lastTimestamp: span?.to ?? null,
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
    const known = walk.scan.matchesIn(block);
    if (known !== undefined) {
      total += known;
      continue;
    }
    const before = total;
    await walk.look(block, () => {
      total += 1;
    });
    if (walk.over) break;
    if (block.lastSeq <= task.last_seq) walk.scan.noteMatches(block, total - before);
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
  const span = isOpenFilter(filter) ? spanOfTask(tables.db, task.task_no) : await spanOf(walk, task.last_seq);
  if (!span) return { from: null, to: null, widthMs: 1, exact: !walk.over, buckets: [] };
  const bars = new Bars(span, buckets);
  for (const block of walk.scan.blocks(1, task.last_seq, 'asc')) {
    if (block.atMost === 0) continue;
    const firstMs = Date.parse(block.firstAt);
    if (block.whole && bars.isOne(firstMs, Date.parse(block.lastAt))) {
      for (const [facetNo, lines] of block.counts) bars.add(firstMs, tables.facets.facet(facetNo).level, lines);
      continue;
    }
    if (block.whole && block.sorted && spread(tables, task.task_no, { block, bars })) {
      await nextTurn();
      continue;
    }
    await walk.look(block, (line) => bars.add(Date.parse(line.timestamp), tables.facets.facet(line.facet_no).level, 1));
    if (walk.over) break;
  }
  return bars.histogram(!walk.over);
}

/** The earliest and latest line of all. */
function spanOfTask(db: Database, taskNo: number): { from: string; to: string } | undefined {
  return db.get<{ from: string; to: string }>(
    'SELECT first_at AS "from", last_at AS "to" FROM trails WHERE task_no = ? AND first_at IS NOT NULL',
    taskNo,
  );
}

/** The earliest and latest matching line, each from its own end, where it mostly is: a block that reaches no further is passed. */
async function spanOf(walk: Walk, lastSeq: number): Promise<{ from: string; to: string } | undefined> {
  let from = '~';
  for (const block of walk.scan.blocks(1, lastSeq, 'asc')) {
    if (block.atMost === 0 || block.firstAt >= from) continue;
    if (block.all) from = block.firstAt;
    else await walk.look(block, ({ timestamp }) => (from = earlier(from, timestamp)));
    if (walk.over) break;
  }
  let to = '';
  for (const block of walk.scan.blocks(1, lastSeq, 'desc')) {
    if (block.atMost === 0 || block.lastAt <= to) continue;
    if (block.all) to = block.lastAt;
    else await walk.look(block, ({ timestamp }) => (to = later(to, timestamp)));
    if (walk.over) break;
  }
  return to === '' ? undefined : { from: earlier(from, to), to };
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
