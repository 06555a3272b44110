import type { WireFound, WireFoundGroup, WireLineFacets } from '../../core/found.ts';
import { PAGE_LINES, SEARCH_MS } from '../../core/limits.ts';
import type { WireHistogram } from '../../core/wire.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';
import { keepSearch } from '../lib/kept-searches.ts';
import { isIdle, type SearchView, searchViewParams } from '../lib/search-view.ts';

/** What is found is shown after so long, be it little; a search goes on by itself for as long as one page may take. */
const STEP_MS = 500;
const BUCKETS = 40;

/**
 * idle: nothing is asked for.
 * searching: pages come in; `stop` ends it. From here to one of:
 * all: every line was looked at. more: a page is full. partial: the time was up, or it was stopped; `more` goes on from both.
 * failed: `problem` says why; what was found stays.
 */
type Phase = 'idle' | 'searching' | 'all' | 'more' | 'partial' | 'failed';

/** The search across tasks: newest lines first, by task, as they are found. */
export class Search {
  phase = $state<Phase>('idle');
  view = $state.raw<SearchView>({ q: '', filter: {}, tasks: [] });
  groups = $state.raw<readonly WireFoundGroup[]>([]);
  facets = $state.raw<WireLineFacets | null>(null);
  histogram = $state.raw<WireHistogram | null>(null);
  /** Every line from this moment on was looked at. */
  scannedFrom = $state<string | null>(null);
  tookMs = $state(0);
  problem = $state.raw<Problem | null>(null);
  readonly found = $derived(this.groups.reduce((sum, { logs }) => sum + logs.length, 0));
  /** The moment of the newest line that was found; where none was, that of the search. */
  readonly newest = $derived.by(() => {
    const times = this.groups.flatMap(({ logs }) => logs.map(({ timestamp }) => timestamp));
    return times.length > 0 ? times.reduce((a, b) => (b > a ? b : a)) : this.#startedAt;
  });
  #startedAt = $state('');
  readonly #api: Api;
  /** What is shown was found by the search before this one. */
  stale = $state(false);
  #cursor: string | null = null;
  #shown = new AbortController();
  #work = new AbortController();

  constructor(api: Api) {
    this.#api = api;
  }

  /** Search for something else. What was found before goes when the first page is here. */
  async show(view: SearchView): Promise<void> {
    this.#shown.abort();
    this.#shown = new AbortController();
    this.#cursor = null;
    this.view = view;
    this.stale = this.groups.length > 0;
    this.facets = null;
    this.histogram = null;
    this.problem = null;
    this.scannedFrom = null;
    this.tookMs = 0;
    this.#startedAt = new Date().toISOString();
    if (isIdle(view)) {
      this.phase = 'idle';
      this.#replace([]);
      return;
    }
    const params = searchViewParams(view);
    await this.#search();
    if (this.view !== view || this.found === 0) return;
    if (view.q.trim() !== '') keepSearch(view.q.trim());
    await Promise.all([this.#count(params), this.#draw(params)]);
  }

  /** Go on where it stopped. */
  readonly more = (): void => {
    if (this.phase !== 'searching') void this.#search();
  };

  readonly retry = (): void => {
    void this.show(this.view);
  };

  readonly stop = (): void => {
    if (this.phase !== 'searching') return;
    this.#work.abort();
    this.phase = 'partial';
    if (this.stale) this.#replace([]);
  };

  close(): void {
    this.#shown.abort();
  }

  async #search(): Promise<void> {
    this.#work = new AbortController();
    const signal = AbortSignal.any([this.#work.signal, this.#shown.signal]);
    this.phase = 'searching';
    this.problem = null;
    const startMs = performance.now();
    const before = this.stale ? 0 : this.found;
    try {
      while (this.phase === 'searching') {
        const page = await this.#page(signal);
        if (signal.aborted) return;
        if (this.stale) this.#replace(page.groups);
        else this.groups = joined(this.groups, page.groups);
        this.#cursor = page.next_cursor;
        this.scannedFrom = page.scanned_from;
        this.tookMs = Math.round(performance.now() - startMs);
        if (page.next_cursor === null) this.phase = 'all';
        else if (this.found - before >= PAGE_LINES) this.phase = 'more';
        else if (this.tookMs >= SEARCH_MS) this.phase = 'partial';
      }
    } catch (error) {
      if (signal.aborted) return;
      if (this.stale) this.#replace([]);
      this.problem = asProblem(error);
      this.phase = 'failed';
    }
  }

  #replace(groups: readonly WireFoundGroup[]): void {
    this.groups = groups;
    this.stale = false;
  }

  #page(signal: AbortSignal) {
    const params = searchViewParams(this.view);
    params.set('group', 'task');
    params.set('limit', String(PAGE_LINES));
    params.set('budget_ms', String(STEP_MS));
    if (this.#cursor !== null) params.set('cursor', this.#cursor);
    return this.#api.search(params, signal);
  }

  /** Counts and bars are a help; without them the lines stand as well. */
  async #count(params: URLSearchParams): Promise<void> {
    const { signal } = this.#shown;
    const facets = await this.#api.searchFacets(params, signal).catch(() => null);
    if (!signal.aborted) this.facets = facets;
  }

  async #draw(params: URLSearchParams): Promise<void> {
    const { signal } = this.#shown;
    const wanted = new URLSearchParams(params);
    wanted.set('buckets', String(BUCKETS));
    const histogram = await this.#api.searchHistogram(wanted, signal).catch(() => null);
    if (!signal.aborted) this.histogram = histogram;
  }
}

/** Later pages hold older lines of the same tasks, and of others. */
function joined(known: readonly WireFoundGroup[], next: readonly WireFoundGroup[]): readonly WireFoundGroup[] {
  const logs = new Map<string, readonly WireFound[]>(next.map((group) => [group.task.task_id, group.logs]));
  const longer = known.map((group) => ({ ...group, logs: [...group.logs, ...(logs.get(group.task.task_id) ?? [])] }));
  const seen = new Set(known.map(({ task }) => task.task_id));
  return [...longer, ...next.filter(({ task }) => !seen.has(task.task_id))];
}
