import type { LogFilter } from '../../core/filter.ts';
import type { WireEntry } from '../../core/wire.ts';
import { asProblem, type Problem } from '../lib/api.ts';
import { type FindText, findFilter, findPattern, literalFinder } from '../lib/find.ts';
import type { Finder } from '../lib/line.ts';
import type { TaskLog } from './task-log.svelte.ts';

/** Hits that are remembered; what lies further back is asked of the server, one by one. */
export const HITS_KEPT = 10_000;
const PAGE_HITS = 1_000;

/**
 * A text looked for in all lines of the view, loaded or not. Hits are collected from the newest line back; until all are here, the next
 * one is asked of the server, so that going on never waits for the rest.
 *
 *   closed ─begin()─▶ searching ─▶ all | stopped (at 10,000) | failed      any ─end()─▶ closed
 */
export class Find {
  /** Null: closed. */
  text = $state.raw<FindText | null>(null);
  phase = $state<'searching' | 'all' | 'stopped' | 'failed'>('all');
  /** Every line from this moment on was looked at; null: none yet, or all. */
  backTo = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** The seqs of hits, from the oldest known on. */
  hits = $state.raw<readonly number[]>([]);
  /** The hit that the reader is at. */
  current = $state<number | null>(null);
  wrapped = $state<'' | 'first' | 'last'>('');
  finder = $state.raw<Finder | undefined>(undefined);
  /** How many hits there are, where they were too many to be remembered. */
  #counted = $state.raw<{ readonly total: number; readonly exact: boolean } | null>(null);
  readonly #log: TaskLog;
  readonly #filterOf: () => LogFilter;
  #work = new AbortController();

  /** @param filterOf the lines that are looked at */
  constructor(log: TaskLog, filterOf: () => LogFilter) {
    this.#log = log;
    this.#filterOf = filterOf;
  }

  /** How many hits are known, and whether these are all. */
  get total(): { readonly total: number; readonly exact: boolean } {
    if (this.phase !== 'stopped') return { total: this.hits.length, exact: this.phase === 'all' };
    return this.#counted ?? { total: this.hits.length, exact: false };
  }

  /** Which of the hits the reader is at, from 1 on; null when it is not known. */
  get index(): number | null {
    const { current, hits } = this;
    if (current === null) return null;
    const at = hits.indexOf(current);
    if (at === -1) return null;
    if (this.phase === 'all') return at + 1;
    return this.#counted?.exact ? this.#counted.total - (hits.length - at) + 1 : null;
  }

  /** Look for a text. Where only what is shown of it changed, what was found stays. */
  async begin(text: FindText): Promise<void> {
    const same =
      this.text !== null && JSON.stringify({ ...this.text, only: 0 }) === JSON.stringify({ ...text, only: 0 });
    this.text = text;
    if (!same || this.phase === 'failed') await this.again();
  }

  /** Look once more: the lines may be others. */
  async again(): Promise<void> {
    const { text } = this;
    if (text === null) return;
    this.#restart();
    if (text.text === '') {
      this.finder = undefined;
      this.phase = 'all';
      return;
    }
    const { signal } = this.#work;
    const filter = findFilter(this.#filterOf(), text);
    this.phase = 'searching';
    try {
      await Promise.all([this.#mark(text, signal), this.#collect(filter, signal)]);
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
      this.phase = 'failed';
    }
  }

  /** New lines came: those with the text are hits too. */
  take(fresh: readonly WireEntry[]): void {
    const { finder } = this;
    if (this.text === null || finder === undefined) return;
    const newest = this.hits.at(-1) ?? 0;
    const found = fresh.filter(({ seq, message }) => seq > newest && finder(message).length > 0).map(({ seq }) => seq);
    if (found.length === 0) return;
    this.hits = [...this.hits, ...found].slice(-2 * HITS_KEPT);
    const counted = this.#counted;
    if (counted !== null) this.#counted = { ...counted, total: counted.total + found.length };
  }

  /** Go to the next hit behind a line, or to the last before it; over the end it goes on at the other one. Null when there is none. */
  async go(order: 'next' | 'previous', from: number): Promise<number | null> {
    const { text } = this;
    if (text === null || text.text === '') return null;
    const { signal } = this.#work;
    this.wrapped = '';
    let seq = await this.#near(order, from);
    if (seq === null) {
      seq = await this.#near(order, order === 'next' ? 0 : this.#log.lastSeq + 1);
      if (seq !== null && !signal.aborted) this.wrapped = order === 'next' ? 'first' : 'last';
    }
    if (signal.aborted) return null;
    this.current = seq;
    return seq;
  }

  end(): void {
    this.#restart();
    this.text = null;
    this.finder = undefined;
  }

  #restart(): void {
    this.#work.abort();
    this.#work = new AbortController();
    this.hits = [];
    this.#counted = null;
    this.backTo = null;
    this.problem = null;
    this.current = null;
    this.wrapped = '';
  }

  /** What marks the hits in a line. A pattern needs the server's engine, which is loaded for it. */
  async #mark(text: FindText, signal: AbortSignal): Promise<void> {
    const pattern = findPattern(text);
    if (pattern === null) {
      this.finder = literalFinder(text.text);
      return;
    }
    const { patternFinder } = await import('../lib/pattern-finder.ts');
    if (!signal.aborted) this.finder = patternFinder(pattern);
  }

  async #collect(filter: LogFilter, signal: AbortSignal): Promise<void> {
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#log.reads.hits(filter, { limit: PAGE_HITS, ...(cursor && { cursor }) }, signal);
      found.push(...page.logs.map(({ seq }) => seq));
      const live = this.hits.filter((seq) => seq > (found[0] ?? 0) && !found.includes(seq));
      this.hits = [...found, ...live].sort((a, b) => a - b);
      this.backTo = page.scanned_from;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined && found.length < HITS_KEPT);
    this.phase = cursor === undefined ? 'all' : 'stopped';
    if (cursor === undefined) return;
    const { total, total_exact: exact } = await this.#log.reads.facets(filter, signal);
    this.#counted = { total: Math.max(total, this.hits.length), exact };
  }

  async #near(order: 'next' | 'previous', from: number): Promise<number | null> {
    const { hits } = this;
    const known = order === 'next' ? hits.find((seq) => seq > from) : hits.findLast((seq) => seq < from);
    const oldest = hits[0] ?? Number.POSITIVE_INFINITY;
    // Between two known hits lies no other; before the oldest there may be some while not every line was looked at.
    if (this.phase === 'all' || (known !== undefined && from >= oldest)) return known ?? null;
    const { text } = this;
    if (text === null) return null;
    try {
      return await this.#log.reads.seqNear(findFilter(this.#filterOf(), text), from, order);
    } catch (error) {
      this.problem = asProblem(error);
      return known ?? null;
    }
  }
}
