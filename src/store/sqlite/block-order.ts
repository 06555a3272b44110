import { BLOCK_LINES } from '../../core/limits.ts';
import { isNewer, type SearchPlace } from '../../core/search.ts';
import { isoTime } from '../../core/time.ts';
import { latestUntil, SPANS } from './block-time.ts';
import type { Database } from './database.ts';
import { filterNo } from './filters.ts';
import { PlaceHeap } from './place-heap.ts';
import type { Block, BlockRow } from './scan.ts';
import type { ScopeScan, ScopeTask } from './scope.ts';

/** A block on the way from new to old. */
export interface Walked {
  readonly task: ScopeTask;
  readonly block: Block;
  /** The lines up to this seq were not looked at. */
  readonly to: number;
  /** None of those lines is at a newer place. */
  readonly upper: SearchPlace;
}

interface Key {
  until: number;
  task_no: number;
  block_no: number;
}

/** Blocks that come one after another: those of one class of the index by time, or those of one task. */
interface Stream {
  readonly span?: number;
  /** What was fetched last; those behind it come next. */
  last: Key;
}

interface FoundRow extends BlockRow {
  task_no: number;
  task_id: string;
}

/** A block that waits for its turn: until then nobody has asked what its task or its summary make of the query. */
interface Waiting {
  readonly row?: FoundRow;
  readonly walked?: Walked;
  readonly upper: SearchPlace;
}

/** In a place: greater than any time or task id. */
export const UNFETCHED = '~';
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
/** Blocks that one short read passes: few at first, as the first page may be full soon. */
const FIRST_KEYS = 32;
const MOST_KEYS = 512;
/** Blocks of named tasks at most that are put in order here rather than found by the index. */
const TASK_BLOCKS = 4_096;

/**
 * The blocks that may hold matches, from new to old, although their times overlap. A block is next when no other, fetched or not,
 * may hold a newer line.
 */
export class BlockOrder {
  readonly #scope: ScopeScan;
  readonly #db: Database;
  readonly #after: SearchPlace | undefined;
  readonly #startMs: number;
  readonly #streams: Stream[] = [];
  readonly #heap = new PlaceHeap<Waiting>();
  readonly #fetched = new Set<number>();
  readonly #tasks: readonly number[] | undefined;
  readonly #lastId: number;
  #revision: number;
  #keys = FIRST_KEYS;

  constructor(scope: ScopeScan, after: SearchPlace | undefined) {
    this.#scope = scope;
    this.#db = scope.tables.db;
    this.#after = after;
    this.#tasks = scope.isEmpty ? [] : scope.taskNos();
    const beforeMs = scope.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(scope.to) - 1;
    this.#startMs = Math.min(after ? Date.parse(after.timestamp) : Number.POSITIVE_INFINITY, beforeMs);
    const state = this.#db.get<{ entry_id: number; revision: number }>('SELECT entry_id, revision FROM state');
    this.#lastId = state?.entry_id ?? 0;
    this.#revision = state?.revision ?? 0;
    this.#begin();
  }

  /** The newest place that was not looked at; undefined when there is none. */
  get upper(): SearchPlace | undefined {
    const fetched = this.#heap.newest?.upper;
    const { ms } = this.#frontier();
    if (ms === Number.NEGATIVE_INFINITY) return fetched;
    const timestamp = ms < LAST_MS ? isoTime(ms) : UNFETCHED;
    const unfetched = { timestamp, taskId: UNFETCHED, seq: 0 };
    return fetched && isNewer(fetched, unfetched) ? fetched : unfetched;
  }

  /** Take the block that holds the newest place; undefined when it is not fetched yet, and `fetch` has to be called. */
  take(): Walked | undefined {
    const { ms } = this.#frontier();
    for (;;) {
      const newest = this.#heap.newest;
      if (!newest || Date.parse(newest.upper.timestamp) <= ms) return undefined;
      this.#heap.pop();
      const { row, upper } = newest;
      const walked = newest.walked ?? (row && this.#walked(row, upper));
      if (!walked) continue;
      if (walked.upper === upper) return walked;
      this.putBack(walked);
    }
  }

  /** Put back what is left of a block. */
  putBack(walked: Walked): void {
    this.#heap.push({ walked, upper: walked.upper });
  }

  /** Fetch some more blocks: a short read. */
  fetch(): void {
    const { stream } = this.#frontier();
    if (!stream) return;
    // One snapshot: a block that moves in the index is seen at its old place, or among those that moved.
    this.#db.beginRead();
    try {
      if (stream.span === undefined) this.#fetchOfTask(stream);
      else {
        this.#fetchOfClass(stream, stream.span);
        this.#fetchMoved();
      }
    } finally {
      this.#db.endRead();
    }
    this.#keys = Math.min(this.#keys * 2, MOST_KEYS);
  }

  #begin(): void {
    if (this.#tasks) {
      const blocks = this.#db.all<{ task_no: number; blocks: number }>(
        `SELECT task_no, (last_seq + ${BLOCK_LINES - 1}) / ${BLOCK_LINES} AS blocks FROM trails
         WHERE task_no IN (SELECT value FROM json_each(?)) AND last_seq > 0`,
        JSON.stringify(this.#tasks),
      );
      if (blocks.reduce((sum, task) => sum + task.blocks, 0) <= TASK_BLOCKS) {
        for (const { task_no, blocks: block_no } of blocks)
          this.#streams.push({ last: { until: 0, task_no, block_no } });
        return;
      }
    }
    for (let span = 0; span <= SPANS; span++) {
      const until = Math.min(latestUntil(span, this.#startMs), Number.MAX_SAFE_INTEGER);
      const first = this.#db.get<{ until: number }>(
        'SELECT until FROM blocks WHERE span = ? AND until <= ? ORDER BY until DESC LIMIT 1',
        ...[span, until],
      );
      if (first)
        this.#streams.push({ span, last: { until: first.until, task_no: Number.MAX_SAFE_INTEGER, block_no: 0 } });
    }
  }

  /** The stream that may reach the newest moment, and that moment. */
  #frontier(): { stream?: Stream; ms: number } {
    let newest: { stream?: Stream; ms: number } = { ms: Number.NEGATIVE_INFINITY };
    for (const stream of this.#streams) {
      const ms = stream.span === undefined ? this.#startMs : Math.min(stream.last.until, this.#startMs);
      if (!newest.stream || ms > newest.ms) newest = { stream, ms };
    }
    return newest;
  }

  #fetchOfTask(stream: Stream): void {
    const { task_no, block_no } = stream.last;
    const lowest = Math.max(0, block_no - MOST_KEYS);
    this.#add('k.task_no = ? AND k.block_no >= ? AND k.block_no < ?', [task_no, lowest, block_no]);
    if (lowest > 0) stream.last = { ...stream.last, block_no: lowest };
    else this.#streams.splice(this.#streams.indexOf(stream), 1);
  }

  #fetchOfClass(stream: Stream, span: number): void {
    const { until, task_no, block_no } = stream.last;
    const position = [until, task_no, block_no];
    const fromMs = this.#scope.from === '' ? Number.MIN_SAFE_INTEGER : Date.parse(this.#scope.from);
    const last = this.#db.get<Key>(
      `SELECT until, task_no, block_no FROM blocks
       WHERE span = ? AND (until, task_no, block_no) < (?, ?, ?) AND until >= ?
       ORDER BY until DESC, task_no DESC, block_no DESC LIMIT 1 OFFSET ?`,
      ...[span, ...position, fromMs, this.#keys - 1],
    );
    const end = last ? [last.until, last.task_no, last.block_no] : [fromMs, 0, 0];
    this.#add(
      'k.span = ? AND (k.until, k.task_no, k.block_no) < (?, ?, ?) AND (k.until, k.task_no, k.block_no) >= (?, ?, ?)',
      [span, ...position, ...end],
    );
    if (last) stream.last = last;
    else this.#streams.splice(this.#streams.indexOf(stream), 1);
  }

  /**
   * A block that was filled since the walk began may have moved to a place that was passed. There is one of each task at most: the
   * block that held its last line then.
   */
  #fetchMoved(): void {
    const rows = this.#db.all<{ task_no: number; last_seq: number; revision: number }>(
      'SELECT task_no, last_seq, revision FROM trails WHERE revision > ? ORDER BY revision',
      this.#revision,
    );
    for (const { task_no, last_seq, revision } of rows) {
      this.#revision = revision;
      const before = this.#lastSeqThen(task_no, last_seq);
      if (before % BLOCK_LINES === 0 || this.#fetched.has(filterNo(task_no, before))) continue;
      const blockNo = Math.floor(before / BLOCK_LINES);
      this.#add('k.task_no = ? AND k.block_no = ?', [task_no, blockNo]);
    }
  }

  /** The last line of a task when the walk began: ids grow with seqs. */
  #lastSeqThen(taskNo: number, lastSeq: number): number {
    let [known, unknown] = [0, lastSeq];
    while (known < unknown) {
      const middle = Math.ceil((known + unknown) / 2);
      const line = this.#db.get<{ id: number }>('SELECT id FROM lines WHERE task_no = ? AND seq = ?', taskNo, middle);
      // One that is compressed is an old one.
      if ((line?.id ?? 0) > this.#lastId) unknown = middle - 1;
      else known = middle;
    }
    return known;
  }

  #add(where: string, values: readonly number[]): void {
    const { clear, join, mayHold } = this.#scope.filtering;
    const { from, to = '~' } = this.#scope;
    const ofTasks = this.#tasks ? 'AND k.task_no IN (SELECT value FROM json_each(?))' : '';
    const rows = this.#db.all<FoundRow>(
      `SELECT k.task_no, task_id, k.block_no, b.first_at, b.last_at, b.facets_json, b.sorted, ${clear.sql} AS clear_to
       FROM blocks k ${join} CROSS JOIN blocks b ON b.task_no = k.task_no AND b.block_no = k.block_no
       CROSS JOIN tasks ON tasks.task_no = k.task_no
       WHERE ${where} ${ofTasks} ${mayHold.sql} AND b.last_at >= ? AND b.first_at < ?`,
      ...clear.values,
      ...values,
      ...(this.#tasks ? [JSON.stringify(this.#tasks)] : []),
      ...mayHold.values,
      ...[from, to],
    );
    for (const row of rows) this.#addRow(row);
  }

  #addRow(row: FoundRow): void {
    const number = filterNo(row.task_no, row.block_no * BLOCK_LINES + 1);
    if (this.#fetched.has(number)) return;
    this.#fetched.add(number);
    const { task_id: taskId, first_at: firstAt, last_at: lastAt } = row;
    const firstSeq = row.block_no * BLOCK_LINES + 1;
    const after = this.#after;
    if (after && !isNewer(after, { timestamp: firstAt, taskId, seq: firstSeq })) return;
    const newest = { timestamp: lastAt, taskId, seq: firstSeq + BLOCK_LINES - 1 };
    const { to } = this.#scope;
    const bounded =
      to !== undefined && lastAt >= to ? { timestamp: isoTime(Date.parse(to) - 1), taskId: UNFETCHED, seq: 0 } : newest;
    this.#heap.push({ row, upper: after && isNewer(bounded, after) ? after : bounded });
  }

  #walked(row: FoundRow, upper: SearchPlace): Walked | undefined {
    const task = this.#scope.task(row.task_no);
    const block = task?.scan.block(row);
    if (!task || !block || block.atMost === 0) return undefined;
    const line = block.sorted && upper.timestamp < block.lastAt && this.#lineUpTo(row, upper.timestamp);
    if (!line) return { task, block, to: block.lastSeq, upper };
    const place = { timestamp: line.timestamp, taskId: task.taskId, seq: line.seq };
    return { task, block, to: line.seq, upper: isNewer(upper, place) ? place : upper };
  }

  /** The last line of a sorted block that is not newer than a moment. A page in the middle of many long blocks needs few of them. */
  #lineUpTo({ task_no, block_no }: FoundRow, moment: string): { timestamp: string; seq: number } | undefined {
    const first = block_no * BLOCK_LINES + 1;
    let known: { timestamp: string; seq: number } | undefined;
    for (let low = first, high = first + BLOCK_LINES - 1; low <= high; ) {
      const seq = known ? Math.ceil((low + high) / 2) : first;
      const line = this.#db.get<{ timestamp: string }>(
        'SELECT timestamp FROM lines WHERE task_no = ? AND seq = ?',
        ...[task_no, seq],
      );
      if (line && line.timestamp <= moment) {
        known = { timestamp: line.timestamp, seq };
        low = seq + 1;
      } else if (known) high = seq - 1;
      // The block is compressed.
      else return undefined;
    }
    return known;
  }
}
