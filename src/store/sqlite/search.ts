import { setImmediate as nextTurn } from 'node:timers/promises';
import { entryId, type JsonObject, type LogEntry } from '../../core/entry.ts';
import { READ_BYTES } from '../../core/limits.ts';
import { isNewer, type SearchPage, type SearchPlace, type SearchQuery } from '../../core/search.ts';
import { isoTime } from '../../core/time.ts';
import { BlockOrder, UNFETCHED, type Walked } from './block-order.ts';
import type { LineRow } from './chunk.ts';
import type { Facets } from './facets.ts';
import type { Tables } from './scan.ts';
import { ScopeScan } from './scope.ts';

interface Found extends SearchPlace {
  readonly row: LineRow;
}

/** Lines of a sorted block that are looked at together: a page mostly needs few of each block. */
const LOOK_LINES = 128;

/**
 * One page of the lines of many tasks, newest first. Blocks are looked into from new to old until no line that was not looked at
 * can belong on the page. When the time is up, what is newer than all those is the answer, and at least one line further than before.
 */
export async function searchLines(tables: Tables, query: SearchQuery, signal?: AbortSignal): Promise<SearchPage> {
  const { after, budgetMs } = query;
  const scope = new ScopeScan(tables, query);
  const order = new BlockOrder(scope, after);
  const page = new Page(query);
  const turns = new Turns(budgetMs, signal);
  for (let started = false; ; started = true) {
    const { upper } = order;
    if (!upper || page.isFinal(upper)) return page.finished(tables.facets);
    const place = justAfter(upper);
    if (started && turns.over && place && (!after || isNewer(after, place))) {
      return page.cut(tables.facets, { upper, place });
    }
    const walked = order.take();
    if (walked) look(walked, { order, page });
    else order.fetch();
    await turns.next();
  }
}

/** Look at the newest lines of a block, and put back what is left of it. */
function look({ task, block, to, upper }: Walked, { order, page }: { order: BlockOrder; page: Page }): void {
  const { taskId, scan } = task;
  // Where times go up and down, the newest line may be anywhere.
  const from = block.sorted ? Math.max(block.lookFrom, to - LOOK_LINES + 1) : block.lookFrom;
  let oldest = upper;
  for (const row of scan.lines(from, to, 'desc', upper.timestamp)) {
    const found = { timestamp: row.timestamp, taskId, seq: row.seq, row };
    page.add(found);
    if (block.sorted) oldest = found;
  }
  const left = (scan.stoppedAt ?? from) - 1;
  page.trim();
  if (left < block.lookFrom) return;
  const place = { timestamp: oldest.timestamp, taskId, seq: left };
  order.putBack({ task, block, to: left, upper: isNewer(upper, place) ? place : upper });
}

/** The newest lines found so far: as many as a page holds, and one more to know that there is more. */
class Page {
  readonly #after: SearchPlace | undefined;
  readonly #limit: number;
  #found: Found[] = [];
  /** Lines of `#found` that the page holds at most: it is full of lines, or of bytes. */
  #room: number;

  constructor({ after, limit }: SearchQuery) {
    this.#after = after;
    this.#limit = limit;
    this.#room = limit;
  }

  add(found: Found): void {
    if (!this.#after || isNewer(this.#after, found)) this.#found.push(found);
  }

  /** Forget what newer lines have pushed off the page. */
  trim(): void {
    this.#found.sort((a, b) => (isNewer(a, b) ? -1 : 1));
    this.#room = this.#limit;
    let chars = 0;
    for (const [place, { row }] of this.#found.entries()) {
      chars += row.message.length + (row.metadata_json?.length ?? 0);
      if (chars < READ_BYTES || place >= this.#limit) continue;
      this.#room = place + 1;
      break;
    }
    this.#found.length = Math.min(this.#found.length, this.#room + 1);
  }

  /** True when no line at this place or an older one changes the answer. */
  isFinal(upper: SearchPlace): boolean {
    const last = this.#found[this.#room - 1];
    return this.#found.length > this.#room && last !== undefined && isNewer(last, upper);
  }

  finished(facets: Facets): SearchPage {
    const page = this.#found.slice(0, this.#room);
    const last = this.#found.length > this.#room ? page.at(-1) : undefined;
    return {
      entries: page.map((line) => entryOf(facets, line)),
      next: last ? placeOf(last) : null,
      scannedFrom: last?.timestamp ?? null,
      complete: true,
    };
  }

  /** What is newer than all that was not looked at. */
  cut(facets: Facets, { upper, place }: { upper: SearchPlace; place: SearchPlace }): SearchPage {
    const page = this.#found.slice(0, this.#room).filter((line) => isNewer(line, upper));
    const last = page.length === this.#room ? page.at(-1) : undefined;
    return {
      entries: page.map((line) => entryOf(facets, line)),
      next: last ? placeOf(last) : place,
      scannedFrom: last?.timestamp ?? place.timestamp,
      complete: last !== undefined,
    };
  }
}

/** The place right before another one; undefined where none can be named. */
function justAfter({ timestamp, taskId, seq }: SearchPlace): SearchPlace | undefined {
  if (timestamp === UNFETCHED) return undefined;
  if (taskId !== UNFETCHED) return { timestamp, taskId, seq: seq + 1 };
  return { timestamp: isoTime(Date.parse(timestamp) + 1), taskId: '', seq: 0 };
}

function placeOf({ timestamp, taskId, seq }: SearchPlace): SearchPlace {
  return { timestamp, taskId, seq };
}

function entryOf(facets: Facets, { taskId, seq, row }: Found): LogEntry {
  const { level, source, stream, type } = facets.facet(row.facet_no);
  const metadata = row.metadata_json === null ? null : (JSON.parse(row.metadata_json) as JsonObject);
  return {
    ...{ id: entryId(taskId, seq), seq, taskId, timestamp: row.timestamp, level, source, stream, type },
    ...{ message: row.message, metadata },
  };
}

/** A time that is measured, and turns for others in it. */
export class Turns {
  readonly #endMs: number;
  readonly #signal: AbortSignal | undefined;
  #turnMs = performance.now();

  constructor(budgetMs: number, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    this.#endMs = performance.now() + budgetMs;
    this.#signal = signal;
  }

  get over(): boolean {
    return performance.now() >= this.#endMs;
  }

  /** Let others have their turn, when they waited for a while. Throws when nobody waits for us any more. */
  async next(): Promise<void> {
    if (performance.now() - this.#turnMs < TURN_MS) return;
    await nextTurn();
    this.#turnMs = performance.now();
    this.#signal?.throwIfAborted();
  }
}

const TURN_MS = 5;
