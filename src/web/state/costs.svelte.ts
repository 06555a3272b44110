import type { WirePattern } from '../../core/comparison.ts';
import type { WireAnalytics } from '../../core/wire-analytics.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';
import { type CostView, dayAfter, dayAt, daysOf } from '../lib/costs.ts';

/** Figures are read again this often while somebody looks. */
const REFRESH_MS = 60_000;
const WEEK_MS = 6 * 24 * 60 * 60 * 1000;

/** What tasks cost: of the chosen days, and of today, this week and this month for the tiles. */
export class Costs {
  view = $state.raw<CostView>({ range: '30d', by: 'model', measure: 'cost' });
  /** By day, each day by the chosen word. */
  byDay = $state.raw<WireAnalytics | null>(null);
  /** The same tasks by the chosen word alone. */
  byWord = $state.raw<WireAnalytics | null>(null);
  /** Day by day with each day's statuses, back to the start of the month and for a week at least. */
  recent = $state.raw<WireAnalytics | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** What is shown is of the view before this one. */
  updating = $state(false);
  readAtMs = $state(0);
  /** Tool calls that are alike; null until somebody asks. */
  loops = $state.raw<{ readonly patterns: readonly WirePattern[]; readonly exact: boolean } | null>(null);
  loopsProblem = $state.raw<Problem | null>(null);
  countingLoops = $state(false);
  readonly #api: Api;
  #work = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(api: Api) {
    this.#api = api;
    this.#timer = setInterval(() => {
      if (!document.hidden && !this.updating && !this.countingLoops) void this.#read();
    }, REFRESH_MS);
  }

  get days(): { readonly from: string; readonly to: string } {
    return daysOf(this.view.range, Date.now());
  }

  async show(view: CostView): Promise<void> {
    this.view = view;
    this.loops = null;
    this.loopsProblem = null;
    await this.#read();
  }

  readonly retry = (): void => {
    void this.#read();
  };

  /** Look through the tool calls of these days for those that come again and again. */
  readonly countLoops = async (): Promise<void> => {
    const { signal } = this.#work;
    this.countingLoops = true;
    this.loopsProblem = null;
    try {
      const { from, to } = this.#range();
      const params = new URLSearchParams({ type: 'tool_call', from, to, limit: '10' });
      const { patterns, exact } = await this.#api.patternsOfAll(params, signal);
      this.loops = { patterns: patterns.filter(({ count }) => count > 1), exact };
    } catch (error) {
      if (!signal.aborted) this.loopsProblem = asProblem(error);
    } finally {
      this.countingLoops = false;
    }
  };

  close(): void {
    clearInterval(this.#timer);
    this.#work.abort();
  }

  #range(): { from: string; to: string } {
    const { from, to } = this.days;
    return { from: `${from}T00:00:00.000Z`, to: `${dayAfter(to)}T00:00:00.000Z` };
  }

  async #read(): Promise<void> {
    this.#work.abort();
    this.#work = new AbortController();
    const { signal } = this.#work;
    this.updating = true;
    const { by } = this.view;
    const range = this.#range();
    const today = dayAt(Date.now());
    const since = [`${today.slice(0, 8)}01`, dayAt(Date.now() - WEEK_MS)].sort()[0] ?? today;
    const until = `${dayAfter(today)}T00:00:00.000Z`;
    const ask = (params: Record<string, string>) => this.#api.analytics(new URLSearchParams(params), signal);
    try {
      [this.byDay, this.byWord, this.recent] = await Promise.all([
        ask({ ...range, group_by: 'day', split_by: by }),
        ask({ ...range, group_by: by }),
        ask({ from: `${since}T00:00:00.000Z`, to: until, group_by: 'day', split_by: 'status' }),
      ]);
      this.problem = null;
      this.readAtMs = Date.now();
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
    } finally {
      if (!signal.aborted) this.updating = false;
    }
  }
}
