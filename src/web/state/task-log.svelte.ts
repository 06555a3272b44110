import { filterParams, isOpenFilter, type LogFilter } from '../../core/filter.ts';
import type { WireEntry, WireStats, WireTask } from '../../core/wire.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';
import type { Return } from '../lib/dividers.ts';
import { firstOf, stretchesOf } from '../lib/folds.ts';
import { nearOf, type Stretch } from '../lib/pages.ts';
import { LineReads } from './line-reads.ts';
import { type Frame, Link } from './link.svelte.ts';
import { Listing } from './listing.ts';
import { LiveQueue } from './live-queue.svelte.ts';

const STATS_MS = 2_000;
/** A server that does not confirm a change of filter gets a new connection instead. */
const SETTLE_MS = 2_000;
/** Returns of the link that are told in the lines. */
const RETURNS_KEPT = 20;

/**
 * One task's trail as the page holds it: the task, its figures, and a window over its lines. REST reads what is stored, the link brings
 * what is new; both meet at `tailSeq`, so nothing is missing and nothing is there twice.
 *
 *   open() ─▶ loading ─▶ running (link open) ─end─▶ ended (link closed)
 *               └────────▶ problem ─retry()─▶ loading
 */
export class TaskLog {
  readonly taskId: string;
  readonly link: Link;
  readonly reads: LineReads;
  readonly live = new LiveQueue(() => this.#flush());
  task = $state.raw<WireTask | null>(null);
  stats = $state.raw<WireStats | null>(null);
  filter = $state.raw<LogFilter>({});
  /** Why the task cannot be shown, or its lines not be read. */
  problem = $state.raw<Problem | null>(null);
  /** The list for the newest filter is not here yet; the one before is still shown. */
  updating = $state(true);
  total = $state(0);
  /** Error lines that came in live, ever growing: the reader's pause remembers where it stood. */
  liveErrors = $state(0);
  partials = $state.raw<Readonly<Record<string, string>>>({});
  /** Where the link came back: the last line before it went, and how many lines were missed meanwhile. */
  returns = $state.raw<readonly Return[]>([]);
  /** Told of each line that comes in live, in order. */
  onFresh: ((entries: readonly WireEntry[]) => void) | undefined;
  /** Grows with every change of the lines that are here; whoever reads rows depends on it. */
  #version = $state(0);
  #listing: Listing;
  readonly #api: Api;
  #work = new AbortController();
  #wanted: readonly Stretch[] = [];
  readonly #loading = new Set<'seen' | 'near'>();
  #poll: ReturnType<typeof setInterval> | undefined;
  #catchingUp: { readonly after: number; lines: number } | null = null;

  constructor(api: Api, taskId: string, filter: LogFilter) {
    this.#api = api;
    this.taskId = taskId;
    this.filter = filter;
    this.reads = new LineReads(api, taskId);
    this.#listing = new Listing({ api, taskId }, filter);
    this.link = new Link({
      url: () => this.#socketUrl(),
      onFrame: (frame) => this.#onFrame(frame),
      onUnauthorized: () => this.#api.onUnauthorized(),
      onOpen: (again) => this.#onOpen(again),
    });
  }

  async open(): Promise<void> {
    this.problem = null;
    const { signal } = this.#work;
    try {
      const [task, stats] = await Promise.all([
        this.#api.task(this.taskId, signal),
        this.#api.stats(this.taskId, signal),
      ]);
      this.task = task;
      this.stats = stats;
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
      return;
    }
    await this.#relist();
  }

  retry(): void {
    if (this.task === null || (!this.task.ended && this.link.phase === 'idle')) void this.open();
    else if (this.updating) void this.setFilter(this.filter);
    else this.problem = null;
    this.link.retry();
    void this.#pump();
  }

  /** Show other lines. The list before stays until the new one is measured. */
  async setFilter(filter: LogFilter): Promise<void> {
    this.filter = filter;
    if (this.task === null) return;
    this.#restart();
    const { signal } = this.#work;
    this.partials = {};
    if (this.link.phase === 'live') {
      // First the server has to follow by the new filter; what is stored from then on comes by the link, the rest by REST.
      // In a frame `type` is its own name, so the entry types have another.
      const { type: types, ...params } = filterParams(filter);
      this.link.send({ type: 'filter', ...(types && { types }), ...params });
      const slow = setTimeout(() => this.link.reopen(), SETTLE_MS);
      await this.link.settled();
      clearTimeout(slow);
    }
    if (!signal.aborted) await this.#relist();
  }

  /** The newest line of the task that the reader could have seen. With a filter, lines that do not pass it count too. */
  get lastSeq(): number {
    const { tailSeq } = this.#listing;
    return isOpenFilter(this.#listing.filter) ? tailSeq : Math.max(tailSeq, this.task?.log.last_seq ?? 0);
  }

  row(position: number): WireEntry | undefined {
    this.#version;
    return this.#listing.at(position);
  }

  /** Have these positions here soon, and a page more on both sides. */
  want(rows: readonly number[]): void {
    this.#wanted = stretchesOf(rows);
    void this.#pump();
  }

  /** Where a line is, or the next one that the filter lets pass; null when it cannot be found out now. */
  async positionOf(seq: number): Promise<number | null> {
    const { signal } = this.#work;
    try {
      return await this.#listing.positionOf(seq, signal);
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
      return null;
    }
  }

  /** How many lines of the list there are up to a line, and how many errors behind it; null when it cannot be found out now. */
  async countedTo(seq: number): Promise<{ lines: number; errorsSince: number } | null> {
    const { signal } = this.#work;
    const { filter } = this;
    try {
      const lines = await this.#listing.countTo(seq, signal);
      if (filter.levels?.includes('ERROR') === false) return { lines, errorsSince: 0 };
      const errors = new Listing({ api: this.#api, taskId: this.taskId }, { ...filter, levels: ['ERROR'] });
      await errors.measure(signal);
      return { lines, errorsSince: errors.total - (await errors.countTo(seq, signal)) };
    } catch {
      return null;
    }
  }

  close(): void {
    this.#work.abort();
    this.link.close();
    this.live.close();
    clearInterval(this.#poll);
  }

  #goLive(): void {
    this.link.open();
    clearInterval(this.#poll);
    this.#poll = setInterval(() => {
      if (!document.hidden && this.link.phase === 'live') void this.#refreshFigures();
    }, STATS_MS);
  }

  #restart(): void {
    this.#work.abort();
    this.#work = new AbortController();
    this.live.take();
    this.updating = true;
  }

  async #relist(): Promise<void> {
    const { signal } = this.#work;
    const listing = new Listing({ api: this.#api, taskId: this.taskId }, this.filter);
    try {
      await listing.measure(signal);
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
      return;
    }
    if (signal.aborted) return;
    this.#listing = listing;
    this.problem = null;
    this.updating = false;
    this.#changed();
    this.#flush();
    // Also when the lines that were asked for first could not be read.
    if (this.task?.ended === false && this.link.phase === 'idle') this.#goLive();
  }

  /** Load what is seen and what is near, beside each other: who jumps does not wait for what was near before. */
  async #pump(): Promise<void> {
    await Promise.all([this.#load('seen'), this.#load('near')]);
  }

  async #load(which: 'seen' | 'near'): Promise<void> {
    if (this.#loading.has(which)) return;
    this.#loading.add(which);
    try {
      while (await this.#loadNext(which)) this.#changed();
    } finally {
      this.#loading.delete(which);
    }
  }

  /** False when nothing is missing or the server did not give it. */
  async #loadNext(which: 'seen' | 'near'): Promise<boolean> {
    const listing = this.#listing;
    const wanted = which === 'seen' ? this.#wanted : nearOf(this.#wanted);
    const stretch = firstOf(wanted, (each) => listing.missing(each));
    if (stretch === undefined) return false;
    const { signal } = this.#work;
    try {
      const came = await listing.load(stretch, signal);
      if (this.problem !== null && !this.updating) this.problem = null;
      return came > 0;
    } catch (error) {
      if (signal.aborted) return listing !== this.#listing;
      // While the link is coming back, its own chip says what is wrong.
      if (this.link.phase !== 'waiting' && this.link.phase !== 'offline') this.problem = asProblem(error);
      return false;
    }
  }

  #socketUrl(): string {
    const params = new URLSearchParams(filterParams(this.filter));
    params.set('after', String(this.#listing.tailSeq));
    return this.#api.socketUrl(`ws/logs/${encodeURIComponent(this.taskId)}`, params);
  }

  #onOpen(again: boolean): void {
    this.#catchingUp = again ? { after: this.#listing.tailSeq, lines: 0 } : null;
    if (again) void this.#refreshFigures();
    void this.#pump();
  }

  #onFrame(frame: Frame): void {
    if (frame.type === 'entries' && Array.isArray(frame.entries)) this.#onEntries(frame.entries as WireEntry[]);
    else if (frame.type === 'partial') this.#onPartial(String(frame.stream), String(frame.text));
    else if (frame.type === 'status') this.task = frame.task as WireTask;
    else if (frame.type === 'caught_up') this.#onCaughtUp();
    else if (frame.type === 'end') void this.#onEnd();
  }

  #onEntries(entries: readonly WireEntry[]): void {
    if (this.#catchingUp) this.#catchingUp.lines += entries.length;
    this.live.add(entries, this.#catchingUp === null);
  }

  #flush(): void {
    this.live.painted();
    if (this.updating) return;
    const fresh = this.#listing.add(this.live.take());
    if (fresh.length === 0) return;
    this.liveErrors += fresh.filter((entry) => entry.level === 'ERROR').length;
    this.onFresh?.(fresh);
    this.#changed();
  }

  #onPartial(stream: string, text: string): void {
    const { [stream]: _, ...rest } = this.partials;
    this.partials = text === '' ? rest : { ...rest, [stream]: text };
  }

  #onCaughtUp(): void {
    if (this.#catchingUp === null) return;
    this.returns = [...this.returns, this.#catchingUp].slice(-RETURNS_KEPT);
    this.#catchingUp = null;
  }

  async #onEnd(): Promise<void> {
    this.link.close();
    clearInterval(this.#poll);
    this.partials = {};
    this.#flush();
    await this.#refreshFigures();
  }

  async #refreshFigures(): Promise<void> {
    try {
      [this.task, this.stats] = await Promise.all([this.#api.task(this.taskId), this.#api.stats(this.taskId)]);
    } catch {
      // Figures that are a little old are better than an error: the link tells when the server is gone.
    }
  }

  #changed(): void {
    this.total = this.#listing.total;
    this.#version += 1;
  }
}
