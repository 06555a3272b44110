import type { LogFilter } from '../../core/filter.ts';
import { isOpenFilter } from '../../core/filter.ts';
import type { WireEntry, WireLogPage } from '../../core/wire.ts';
import type { Api, LinesQuery } from '../lib/api.ts';
import { LinePages, PAGE_ROWS, type Stretch } from '../lib/pages.ts';

/** Pages kept, and characters of message they may hold together. */
const MAX_PAGES = 100;
const MAX_CHARS = 32_000_000;
/** Lines per step when the end has to be walked to, because the server could only say "at least". */
const WALK_LINES = 10_000;

/**
 * The lines of one task that one filter lets pass, as a list by position. Without a filter the position is `seq - 1`; with one it is the
 * place among the matching lines, which never changes either, for lines are only ever added behind.
 */
export class Listing {
  readonly filter: LogFilter;
  /** How many positions there are. */
  total = 0;
  /** Every matching line up to this seq is counted in `total`. */
  tailSeq = 0;
  readonly #api: Api;
  readonly #taskId: string;
  readonly #open: boolean;
  readonly #pages = new LinePages<WireEntry>({
    maxPages: MAX_PAGES,
    maxChars: MAX_CHARS,
    charsOf: (entry) => entry.message.length + 200,
  });

  constructor(source: { api: Api; taskId: string }, filter: LogFilter) {
    this.#api = source.api;
    this.#taskId = source.taskId;
    this.filter = filter;
    this.#open = isOpenFilter(filter);
  }

  at(position: number): WireEntry | undefined {
    return this.#pages.at(position);
  }

  missing(wanted: Stretch): Stretch | undefined {
    const start = Math.max(0, wanted.start);
    return this.#pages.missing({ start, count: Math.min(wanted.start + wanted.count, this.total) - start });
  }

  /** Learn where the list ends now. */
  async measure(signal: AbortSignal): Promise<void> {
    const { filter } = this;
    const head = await this.#api.lines(
      this.#taskId,
      { filter, limit: 0, count: this.#open ? 'none' : 'exact' },
      signal,
    );
    this.tailSeq = head.last_seq;
    this.total = this.#open ? head.last_seq : head.total;
    // The count and the newest seq are two looks at a growing task; from its last counted line on, one look settles both.
    if (!this.#open) await this.#walkToEnd(Math.max(0, head.total - 1), signal);
  }

  /** Read a stretch from the server. Resolves to how many lines came. */
  async load(stretch: Stretch, signal: AbortSignal): Promise<number> {
    const { filter } = this;
    const from = this.#open ? { after: stretch.start } : { offset: stretch.start };
    const { logs } = await this.#read({ filter, limit: stretch.count, order: 'asc', count: 'none', ...from }, signal);
    this.#pages.put(stretch.start, logs);
    return logs.length;
  }

  /** Take in live lines, in order; what is here already is passed over. Answers the lines that were new. */
  add(entries: readonly WireEntry[]): readonly WireEntry[] {
    const fresh = entries.filter((entry) => entry.seq > this.tailSeq);
    for (const entry of fresh) {
      const position = this.#open ? entry.seq - 1 : this.total;
      this.#pages.put(position, [entry]);
      this.total = position + 1;
      this.tailSeq = entry.seq;
    }
    return fresh;
  }

  /** The position of the first line with this seq or a later one; of the last line when all are earlier. */
  async positionOf(seq: number, signal: AbortSignal): Promise<number> {
    return Math.min(await this.countTo(seq - 1, signal), this.total - 1);
  }

  /** How many lines there are up to this seq. */
  async countTo(seq: number, signal: AbortSignal): Promise<number> {
    if (this.#open) return Math.min(Math.max(0, seq), this.total);
    if (seq >= this.tailSeq) return this.total;
    let [low, high] = [0, this.total];
    let [lowSeq, highSeq] = [0, this.tailSeq];
    // Lines of a filter often lie evenly: where the seq should be is looked at first, then the middle of what is left, in turns.
    for (let turn = 0; low < high; turn += 1) {
      const share = turn % 2 === 0 ? (seq - lowSeq) / Math.max(1, highSeq - lowSeq) : 0.5;
      const probe = Math.min(high - 1, Math.max(low, low + Math.floor(share * (high - low))));
      const entry = await this.#peek(probe, signal);
      if (entry === undefined || entry.seq > seq) [high, highSeq] = [probe, entry?.seq ?? highSeq];
      else [low, lowSeq] = [probe + 1, entry.seq];
    }
    return low;
  }

  /** The line at a position, with its page: what is looked for is often near it. */
  async #peek(position: number, signal: AbortSignal): Promise<WireEntry | undefined> {
    if (this.at(position) !== undefined) return this.at(position);
    const start = position - (position % PAGE_ROWS);
    const missing = this.missing({ start, count: position - start + 1 });
    if (missing !== undefined) await this.load(missing, signal);
    return this.at(position);
  }

  /** A page as a whole, also when the server gave it in parts because its time was up. */
  async #read(query: LinesQuery & { limit: number }, signal: AbortSignal): Promise<WireLogPage> {
    const logs: WireEntry[] = [];
    for (let { offset = 0, after } = query; ; ) {
      const limit = query.limit - logs.length;
      const where = { offset, ...(after !== undefined && { after }) };
      const page = await this.#api.lines(this.#taskId, { ...query, limit, ...where }, signal);
      logs.push(...page.logs);
      if (page.scanned_to === undefined) return { ...page, logs };
      // What was passed over already need not be passed over again.
      offset = Math.max(0, offset - (page.total - page.logs.length));
      after = page.scanned_to;
    }
  }

  async #walkToEnd(from: number, signal: AbortSignal): Promise<void> {
    const { filter } = this;
    let start = from;
    let after: number | undefined;
    for (;;) {
      const where = after === undefined ? { offset: start } : { after };
      const query = { filter, limit: WALK_LINES, order: 'asc', count: 'none', ...where } as const;
      const page = await this.#read(query, signal);
      start += page.logs.length;
      after = page.logs.at(-1)?.seq ?? after;
      if (!page.has_more || page.logs.length === 0) break;
    }
    this.total = start;
    this.tailSeq = Math.max(this.tailSeq, after ?? 0);
  }
}
