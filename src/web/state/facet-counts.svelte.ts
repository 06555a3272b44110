import { type Api, asProblem, type Problem } from '../lib/api.ts';
import { FACETS, type Facet, type ListView, listViewParams, withChosen } from '../lib/list-view.ts';

export type FacetCounts = Readonly<Record<Facet, Readonly<Record<string, number>>>>;

const NO_COUNTS: FacetCounts = { status: {}, source: {}, kind: {}, agent: {}, tag: {} };
/** Counting again costs the server; this long there is between two counts, and never less than so many times what one took. */
const PAUSE_MS = 3_000;
const PAUSE_TIMES = 20;

/** How many tasks have each value. A facet that is chosen counts as if it were not, so that its other values can be chosen. */
export class TaskFacetCounts {
  counts = $state.raw<FacetCounts>(NO_COUNTS);
  problem = $state.raw<Problem | null>(null);
  readonly #api: Api;
  #view: ListView | undefined;
  #work = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBeforeMs = 0;

  constructor(api: Api) {
    this.#api = api;
  }

  show(view: ListView): void {
    this.#view = view;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#read();
  }

  /** The tasks changed. */
  again(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        void this.#read();
      },
      Math.max(0, this.#notBeforeMs - Date.now()),
    );
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#work.abort();
  }

  async #read(): Promise<void> {
    const view = this.#view;
    if (view === undefined) return;
    this.#work.abort();
    this.#work = new AbortController();
    const { signal } = this.#work;
    const begunMs = Date.now();
    const ask = (shown: ListView) => {
      const params = listViewParams(shown);
      for (const name of ['sort', 'order']) params.delete(name);
      return this.#api.facets(params, signal);
    };
    try {
      const chosen = FACETS.filter((facet) => view.chosen[facet]?.length);
      const [all, ...others] = await Promise.all([
        ask(view),
        ...chosen.map((facet) => ask(withChosen(view, facet, []))),
      ]);
      const apart = chosen.map((facet, index) => [facet, others[index]?.[facet] ?? {}] as const);
      this.counts = { ...all, ...Object.fromEntries(apart) };
      this.problem = null;
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
    }
    const tookMs = Date.now() - begunMs;
    this.#notBeforeMs = Date.now() + Math.max(PAUSE_MS, PAUSE_TIMES * tookMs);
  }
}
