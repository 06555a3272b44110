import { TrailError } from '../core/error.ts';
import type { StoreReader } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { type Clock, systemClock } from '../core/time.ts';
import { type Spent, tokensOf } from '../task/agent-watch.ts';

/** A run may still write its last figures for so long after a person ended its task. */
const SETTLED_MS = 30_000;
const PAGE_TASKS = 1_000;

type Reading = Pick<StoreReader, 'task' | 'tasks' | 'deletedSpending'>;

/**
 * What the agents' tasks that were made today (UTC) have cost. All tasks of the day are read once, at the first question of the day;
 * from then on only those whose figures may still change: the ones that run or wait. A task that is deleted has cost what it has;
 * the store's daily totals tell of those that were deleted before the first question.
 */
export class DaySpending {
  readonly #store: Reading;
  readonly #clock: Clock;
  #day = '';
  #deleted: Spent = { usd: 0, tokens: 0 };
  readonly #spent = new Map<string, Spent>();
  readonly #open = new Set<string>();
  #asking: Promise<unknown> = Promise.resolve();

  constructor(store: Reading, clock: Clock = systemClock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** A run begins in this process, the only one that runs agents of this data directory. */
  add(taskId: string): void {
    // Before the first question there is nothing to keep: that one looks at everything.
    if (this.#day !== '') this.#open.add(taskId);
  }

  /** One question after the other. */
  today(): Promise<Spent> {
    const answer = this.#asking.then(() => this.#today());
    this.#asking = answer.catch(() => {});
    return answer;
  }

  async #today(): Promise<Spent> {
    const day = new Date(this.#clock.now()).toISOString().slice(0, 10);
    if (day !== this.#day) await this.#begin(day);
    for (const taskId of [...this.#open]) {
      const task = await this.#read(taskId);
      if (task?.createdAt.startsWith(day)) this.#count(task);
      else this.#open.delete(taskId);
    }
    let { usd, tokens } = this.#deleted;
    for (const spent of this.#spent.values()) {
      usd += spent.usd;
      tokens += spent.tokens;
    }
    return { usd, tokens };
  }

  async #begin(day: string): Promise<void> {
    this.#spent.clear();
    this.#open.clear();
    this.#day = day;
    try {
      this.#deleted = await this.#store.deletedSpending(day);
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const query = { from: `${day}T00:00:00.000Z`, sort: 'created_at', order: 'asc', limit: PAGE_TASKS } as const;
        const page = await this.#store.tasks({ ...query, ...(cursor && { cursor }) });
        for (const task of page.tasks) if (task.runner?.startsWith('agent:')) this.#count(task);
        cursor = page.nextCursor;
      }
    } catch (error) {
      // The next question looks at everything again.
      this.#day = '';
      throw error;
    }
  }

  #count(task: Task): void {
    const { taskId, completedAt, metrics } = task;
    this.#spent.set(taskId, { usd: metrics.costUsd ?? 0, tokens: tokensOf(metrics) });
    const settled = completedAt !== null && Date.parse(completedAt) <= this.#clock.now() - SETTLED_MS;
    if (settled) this.#open.delete(taskId);
    else this.#open.add(taskId);
  }

  /** Undefined for a task that was deleted. */
  async #read(taskId: string): Promise<Task | undefined> {
    try {
      return await this.#store.task(taskId);
    } catch (error) {
      if (error instanceof TrailError && (error.code === 'task_deleted' || error.code === 'task_not_found')) return;
      throw error;
    }
  }
}
