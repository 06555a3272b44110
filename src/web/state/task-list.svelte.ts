import type { WireTask } from '../../core/wire.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';
import { isFiltered, type ListView, listViewParams, PLAIN_VIEW } from '../lib/list-view.ts';
import { TaskFacetCounts } from './facet-counts.svelte.ts';
import { type Frame, Link } from './link.svelte.ts';

const PAGE_TASKS = 50;
/** Most tasks that are kept in step with the server; what lies further down is as it was when it was loaded. */
const FRESH_TASKS = 200;
/** Changes are collected this long before the list is read again. */
const COLLECT_MS = 700;

/**
 * The list of tasks for one view. Known tasks change in place; new ones go on top at once while nothing is looked at (`mayMove`), and wait
 * behind "N new" while something is, so that nothing moves under the eye. In another order than the newest first they always wait.
 */
export class TaskList {
  readonly link: Link;
  readonly facets: TaskFacetCounts;
  view = $state.raw<ListView>(PLAIN_VIEW);
  tasks = $state.raw<readonly WireTask[]>([]);
  waiting = $state.raw<readonly WireTask[]>([]);
  total = $state(0);
  totalExact = $state(true);
  /** How many there are without filters; known when none matches. */
  whole = $state.raw<{ readonly total: number; readonly exact: boolean } | null>(null);
  loaded = $state(false);
  updating = $state(false);
  /** Another selection is on its way; the rows are those before. */
  switching = $state(false);
  problem = $state.raw<Problem | null>(null);
  readonly hasMore = $derived.by(() => this.#cursor !== null);
  readonly filtered = $derived(isFiltered(this.view));
  #cursor = $state<string | null>(null);
  readonly #api: Api;
  readonly #mayMove: () => boolean;
  #work = new AbortController();
  #collect: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(api: Api, mayMove: () => boolean) {
    this.#api = api;
    this.#mayMove = mayMove;
    this.facets = new TaskFacetCounts(api);
    this.link = new Link({
      url: () => api.socketUrl('ws/tasks', new URLSearchParams()),
      onFrame: (frame) => this.#onFrame(frame),
      onUnauthorized: () => api.onUnauthorized(),
      onOpen: (again) => {
        if (again) this.#catchUp();
      },
    });
  }

  open(view: ListView): void {
    this.link.open();
    void this.show(view);
  }

  /** Show another selection. The rows before stay, dimmed, until the new ones are here. */
  async show(view: ListView): Promise<void> {
    this.view = view;
    this.waiting = [];
    this.facets.show(view);
    this.switching = true;
    await this.#read(PAGE_TASKS, (tasks) => tasks);
    this.switching = this.updating;
  }

  async more(): Promise<void> {
    if (this.#cursor === null || this.updating) return;
    const known = this.tasks;
    const seen = new Set(known.map((task) => task.task_id));
    const params = this.#params(PAGE_TASKS);
    params.set('cursor', this.#cursor);
    await this.#read(PAGE_TASKS, (tasks) => [...known, ...tasks.filter((task) => !seen.has(task.task_id))], params);
  }

  readonly retry = (): void => {
    this.link.retry();
    void this.show(this.view);
  };

  /** Read again at once, as it is in the server now. */
  readonly reload = (): void => {
    void this.show(this.view);
  };

  /** Tasks were changed here: bring the rows in step. */
  readonly refresh = (): void => this.#refreshSoon();

  /** Put what waited on top, or where the order wants it. */
  reveal(): void {
    if (this.#newestFirst()) {
      this.tasks = [...this.waiting, ...this.tasks];
      this.waiting = [];
    } else this.reload();
  }

  close(): void {
    this.#closed = true;
    this.#work.abort();
    this.link.close();
    this.facets.close();
    clearTimeout(this.#collect);
  }

  /** Known tasks change at once; what is new, gone or moved is seen when the list is read again, a little later. */
  #onFrame(frame: Frame): void {
    if (frame.type === 'tasks' && Array.isArray(frame.tasks)) {
      const changed = new Map((frame.tasks as readonly WireTask[]).map((task) => [task.task_id, task]));
      this.tasks = this.tasks.map((task) => changed.get(task.task_id) ?? task);
      this.#refreshSoon();
    } else if (frame.type === 'deleted' && Array.isArray(frame.task_ids)) {
      const gone = new Set(frame.task_ids);
      this.tasks = this.tasks.filter((task) => !gone.has(task.task_id));
      this.waiting = this.waiting.filter((task) => !gone.has(task.task_id));
      this.#refreshSoon();
    } else if (frame.type === 'refresh') this.#catchUp();
  }

  /** Nobody says what became of which task: in the order of time that is seen by reading again, else only by reading anew. */
  #catchUp(): void {
    if (this.#newestFirst()) this.#refreshSoon();
    else this.reload();
  }

  #refreshSoon(): void {
    this.#collect ??= setTimeout(() => {
      this.#collect = undefined;
      void this.#refresh();
    }, COLLECT_MS);
  }

  async #refresh(): Promise<void> {
    // A selection under way will bring the newest anyway.
    if (this.updating || this.#closed) return;
    const limit = Math.min(FRESH_TASKS, Math.max(PAGE_TASKS, this.tasks.length + this.waiting.length));
    const cursor = this.#cursor;
    const wasLong = this.tasks.length > PAGE_TASKS;
    this.facets.again();
    await this.#read(limit, (tasks) => this.#merged(tasks));
    if (wasLong && this.problem === null) this.#cursor = cursor;
  }

  #merged(tasks: readonly WireTask[]): readonly WireTask[] {
    const fresh = new Map(tasks.map((task) => [task.task_id, task]));
    const known = new Set(this.tasks.map((task) => task.task_id));
    const isAll = tasks.length < FRESH_TASKS;
    const kept = this.tasks.flatMap((task, place) => {
      const now = fresh.get(task.task_id);
      // Within the stretch that was read, a task that did not come is gone or matches no more.
      return now ? [now] : place < tasks.length && isAll && this.#newestFirst() ? [] : [task];
    });
    const lastKnown = tasks.findLastIndex((task) => known.has(task.task_id));
    const added = tasks.filter((task) => !known.has(task.task_id));
    // What stands behind all that is shown came up from below, because something above is gone.
    const below = lastKnown < 0 ? [] : added.filter((task) => tasks.indexOf(task) > lastKnown);
    const above = added.slice(0, added.length - below.length);
    const mayMove = this.tasks.length === 0 || (this.#mayMove() && this.#newestFirst());
    this.waiting = mayMove ? [] : above;
    return [...(mayMove ? above : []), ...kept, ...below];
  }

  async #read(
    limit: number,
    place: (tasks: readonly WireTask[]) => readonly WireTask[],
    params = this.#params(limit),
  ): Promise<void> {
    this.#work.abort();
    this.#work = new AbortController();
    const { signal } = this.#work;
    this.updating = true;
    try {
      const page = await this.#api.tasks(params, signal);
      if (page.total === 0 && this.filtered) await this.#readWhole(signal);
      this.tasks = place(page.tasks);
      this.#cursor = page.next_cursor;
      this.total = page.total;
      this.totalExact = page.total_exact;
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
    }
    this.updating = false;
  }

  async #readWhole(signal: AbortSignal): Promise<void> {
    const { total, total_exact: exact } = await this.#api.tasks(new URLSearchParams({ limit: '1' }), signal);
    this.whole = { total, exact };
  }

  #newestFirst(): boolean {
    return this.view.sort === PLAIN_VIEW.sort && this.view.order === PLAIN_VIEW.order;
  }

  #params(limit: number): URLSearchParams {
    const params = listViewParams(this.view);
    params.set('limit', String(limit));
    return params;
  }
}
