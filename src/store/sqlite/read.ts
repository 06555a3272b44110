import type { NumberedLine } from '../../core/directory.ts';
import { isOpenFilter } from '../../core/filter.ts';
import { READ_BYTES, READ_ROWS } from '../../core/limits.ts';
import type { PlainLines } from '../../core/line-text.ts';
import { EntryPage } from '../../core/page.ts';
import type { Order, ReadQuery } from '../../core/query.ts';
import { ENTRY_TEMPLATE, entryJson } from '../../core/wire.ts';
import type { LineRow } from './chunk.ts';
import type { Facets } from './facets.ts';
import { linesText } from './line-json.ts';
import { type Block, Scan, type Tables } from './scan.ts';
import { scanned, type TaskRow } from './task-row.ts';

/** Blocks that one read passes: it is as short as one that looks into a few. */
const READ_BLOCKS = 4_096;

const PAGE = { template: ENTRY_TEMPLATE, open: '[', between: ',', close: ']' };

interface Window {
  readonly lowest: number;
  readonly highest: number;
  readonly order: Order;
}

/**
 * One page of a task's lines. Without a filter it is one seek, because seqs have no holes; with one, summaries of blocks are
 * stepped over until one may hold a match, and at most READ_ROWS lines are looked at.
 */
export function readPage(tables: Tables, { task, query }: { task: TaskRow; query: ReadQuery }): EntryPage {
  const { filter = {}, after = 0, before = Number.POSITIVE_INFINITY, order = 'asc' } = query;
  const window = { lowest: Math.max(after, 0) + 1, highest: Math.min(before - 1, task.last_seq), order };
  const scan = new Scan(tables, scanned(task), filter);
  const page = new PageBuilder(task.task_id, tables.facets, { window, query });
  if (window.lowest > window.highest) return page.finished();
  if (page.room <= 0) return page.soFar();
  if (isOpenFilter(filter)) return readOpen(tables, { task, scan, page, window });
  let visited = 0;
  let passed = 0;
  for (const block of scan.blocks(window.lowest, window.highest, order)) {
    const from = Math.max(block.firstSeq, window.lowest);
    const to = Math.min(block.lastSeq, window.highest);
    if (block.atMost > 0 && !page.skipWhole(block, { from, to, matches: scan.matchesIn(block) })) {
      const before = page.passed;
      for (const line of scan.lines(Math.max(from, block.lookFrom), to, order))
        if (page.add(line)) return page.full(line.seq);
      if (scan.stoppedAt !== undefined) return page.full(scan.stoppedAt);
      if (from === block.firstSeq && to === block.lastSeq) scan.noteMatches(block, page.passed - before);
      visited += to - from + 1;
    }
    page.scanned(from, to);
    if (visited + block.lastSeq - block.firstSeq >= READ_ROWS || ++passed >= READ_BLOCKS) return page.soFar();
  }
  return page.finished();
}

/** Lines as they are stored, from one seq on: as many as one read takes. */
export function readLines(tables: Tables, { task, after }: { task: TaskRow; after: number }) {
  const lines: NumberedLine[] = [];
  const to = Math.min(after + READ_ROWS, task.last_seq);
  const scan = new Scan(tables, scanned(task), {});
  for (const { seq, timestamp, facet_no: facetNo, message, metadata_json: metadataJson } of scan.lines(
    after + 1,
    to,
    'asc',
  )) {
    const { level, source, stream, type } = tables.facets.facet(facetNo);
    lines.push({ seq, timestamp, level, source, stream, type, message, metadataJson });
  }
  const scannedTo = scan.stoppedAt ?? to;
  return { lines, scannedTo, done: scannedTo >= task.last_seq };
}

/** The same lines as one text, where all of them are plain. */
export function readPlainLines(
  { db }: Tables,
  { task, after, plain }: { task: TaskRow; after: number; plain: PlainLines },
) {
  const scannedTo = Math.min(after + READ_ROWS, task.last_seq);
  const span = { taskId: task.task_id, taskNo: task.task_no, from: after + 1, to: scannedTo };
  const text = linesText(db, span, { ...plain, open: '', between: '\n', close: '\n' });
  return text && { text, scannedTo, done: scannedTo >= task.last_seq };
}

interface Open {
  readonly task: TaskRow;
  readonly scan: Scan;
  readonly page: PageBuilder;
  readonly window: Window;
}

function readOpen({ db }: Tables, { task, scan, page, window: { lowest, highest, order } }: Open): EntryPage {
  const skipped = page.skipAtOnce(highest - lowest + 1);
  const take = page.room;
  const from = order === 'asc' ? lowest + skipped : Math.max(highest - skipped - take + 1, lowest);
  const to = order === 'asc' ? Math.min(lowest + skipped + take - 1, highest) : highest - skipped;
  const span = { taskId: task.task_id, taskNo: task.task_no, from, to };
  const whole = order === 'asc' && from <= to && page.takesBytes ? linesText(db, span, PAGE) : undefined;
  if (whole) page.takeWhole(whole, span);
  else if (take > 0) for (const line of scan.lines(from, to, order)) if (page.add(line)) return page.full(line.seq);
  if (scan.stoppedAt !== undefined) return page.full(scan.stoppedAt);
  if (order === 'asc' ? to >= highest : from <= lowest) return page.finished();
  return page.full(order === 'asc' ? to : from);
}

interface Known {
  readonly from: number;
  readonly to: number;
  /** Lines of the whole block that match, where that is known. */
  readonly matches: number | undefined;
}

/** Gathers one page: what is skipped, what is taken, and how far the reader came. */
class PageBuilder {
  readonly #taskId: string;
  readonly #facets: Facets;
  readonly #window: Window;
  readonly #limit: number;
  readonly #json: string[] = [];
  /** All lines of the page at once, instead of one by one. */
  #whole: { readonly json: Uint8Array<ArrayBuffer>; readonly count: number } | undefined;
  readonly #maxBytes: number;
  #bytes = 0;
  #offset: number;
  #skipped = 0;
  #first: number | null = null;
  #last: number | null = null;
  #scannedTo: number;

  constructor(taskId: string, facets: Facets, { window, query }: { window: Window; query: ReadQuery }) {
    this.#taskId = taskId;
    this.#facets = facets;
    this.#window = window;
    this.#limit = Math.min(query.limit, READ_ROWS);
    this.#maxBytes = Math.min(query.maxBytes ?? READ_BYTES, READ_BYTES);
    this.#offset = query.offset ?? 0;
    this.#scannedTo = window.order === 'asc' ? window.lowest - 1 : window.highest + 1;
  }

  /** Matching lines so far. */
  get passed(): number {
    return this.#skipped + this.#json.length;
  }

  get room(): number {
    return this.#limit - this.#json.length;
  }

  /** Whether it may be as large as pages are. */
  get takesBytes(): boolean {
    return this.#maxBytes === READ_BYTES;
  }

  takeWhole(json: Uint8Array<ArrayBuffer>, { from, to }: { from: number; to: number }): void {
    this.#whole = { json, count: to - from + 1 };
    this.#first = from;
    this.#last = to;
  }

  /** Skip up to `lines` matching lines at once; answers how many. */
  skipAtOnce(lines: number): number {
    const skipped = Math.min(this.#offset, lines);
    this.#offset -= skipped;
    this.#skipped += skipped;
    return skipped;
  }

  /** Skip a block when it is known how many of its lines match, and all of these are to be skipped. */
  skipWhole({ firstSeq, lastSeq }: Block, { from, to, matches }: Known): boolean {
    // The newest block may have grown since the window was taken; only of a full one it is known for good.
    if (from !== firstSeq || to !== lastSeq || matches === undefined || matches > this.#offset) return false;
    this.skipAtOnce(matches);
    return true;
  }

  /** Take a matching line, or skip it. True when the page is full. */
  add(line: LineRow): boolean {
    if (this.#offset > 0) {
      this.skipAtOnce(1);
      return false;
    }
    if (this.room <= 0) return true;
    const { level, source, stream, type } = this.#facets.facet(line.facet_no);
    const { seq, timestamp, message, metadata_json: metadataJson } = line;
    const json = entryJson(this.#taskId, seq, { timestamp, level, source, stream, type, message, metadataJson });
    this.#json.push(json);
    this.#bytes += json.length;
    this.#first ??= seq;
    this.#last = seq;
    return this.room === 0 || this.#bytes >= this.#maxBytes;
  }

  scanned(from: number, to: number): void {
    this.#scannedTo = this.#window.order === 'asc' ? to : from;
  }

  /** The page ends at a line because it is full, of lines or of bytes. */
  full(seq: number): EntryPage {
    this.#scannedTo = seq;
    return this.soFar();
  }

  /** The page ends here for now; the window may hold more. */
  soFar(): EntryPage {
    const { lowest, highest, order } = this.#window;
    return this.#page(order === 'asc' ? this.#scannedTo >= highest : this.#scannedTo <= lowest);
  }

  /** The window was looked at as a whole. */
  finished(): EntryPage {
    const { lowest, highest, order } = this.#window;
    this.#scannedTo = order === 'asc' ? Math.max(highest, lowest - 1) : lowest;
    return this.#page(true);
  }

  #page(done: boolean): EntryPage {
    const ascending = this.#window.order === 'asc';
    return new EntryPage({
      ...(this.#whole ?? { json: `[${this.#json.join(',')}]`, count: this.#json.length }),
      firstSeq: ascending ? this.#first : this.#last,
      lastSeq: ascending ? this.#last : this.#first,
      skipped: this.#skipped,
      scannedTo: this.#scannedTo,
      done,
    });
  }
}
