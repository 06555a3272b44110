import type { Api } from '../lib/api.ts';
import { type SearchView, searchViewParams } from '../lib/search-view.ts';
import type { Search } from './search.svelte.ts';

const POLL_MS = 5_000;
/** More than these are not counted. */
const MOST = 100;
/** How long a look may take the server. */
const BUDGET_MS = 300;

/** What came in since a search was shown: counted now and then, while somebody looks. */
export class FreshMatches {
  count = $state(0);
  /** There may be more. */
  more = $state(false);
  readonly #api: Api;
  readonly #search: Search;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #closing = new AbortController();
  #of: SearchView | null = null;
  #busy = false;

  constructor(api: Api, search: Search) {
    this.#api = api;
    this.#search = search;
    this.#timer = setInterval(() => void this.#look(), POLL_MS);
  }

  /** Another search is shown, or the same again. */
  reset(): void {
    this.#of = null;
    this.count = 0;
    this.more = false;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closing.abort();
  }

  async #look(): Promise<void> {
    const { view, phase, newest } = this.#search;
    const stands = phase === 'all' || phase === 'more' || phase === 'partial';
    // A search with an end in time gets nothing new; and enough is enough.
    if (!stands || view.filter.to !== undefined || document.hidden || this.#busy || this.more) return;
    this.#busy = true;
    this.#of = view;
    const later = { ...view, filter: { ...view.filter, from: newest } };
    const params = searchViewParams(later);
    params.set('group', 'task');
    params.set('limit', String(MOST));
    params.set('budget_ms', String(BUDGET_MS));
    const page = await this.#api.search(params, this.#closing.signal).catch(() => null);
    this.#busy = false;
    if (page === null || this.#of !== view || this.#search.view !== view) return;
    const known = new Set(this.#search.groups.flatMap(({ logs }) => logs.map(({ id }) => id)));
    const lines = page.groups.flatMap(({ logs }) => logs);
    this.count = lines.filter(({ id }) => !known.has(id)).length;
    this.more = this.count > 0 && page.next_cursor !== null;
  }
}
