import { SvelteMap } from 'svelte/reactivity';
import type { WireTask } from '../../core/wire.ts';
import type { Api } from '../lib/api.ts';
import { SPARK, type Spark, sparkOf } from '../lib/spark.ts';

/** How many are asked for at a time. */
const AT_ONCE = 3;
/** A task that writes all the time is drawn anew this often at most. */
const AGAIN_MS = 5_000;
const KEPT = 500;

interface Drawn {
  readonly spark: Spark;
  readonly lastSeq: number;
  readonly atMs: number;
}

/** The small histograms of the rows that are seen. Each is asked for once per state of its task, a few at a time. */
export class Sparks {
  readonly #drawn = new SvelteMap<string, Drawn>();
  readonly #api: Api;
  readonly #closing = new AbortController();
  /** What is wanted, by task: the newest wish counts. */
  readonly #wanted = new Map<string, number>();
  #busy = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Api) {
    this.#api = api;
  }

  of(taskId: string): Spark | undefined {
    return this.#drawn.get(taskId)?.spark;
  }

  /** The row of this task is seen, and the task is as far as that. */
  want({ task_id: taskId, log }: Pick<WireTask, 'task_id' | 'log'>): void {
    if (log.last_seq === 0 || this.#drawn.get(taskId)?.lastSeq === log.last_seq) return;
    this.#wanted.set(taskId, log.last_seq);
    this.#next();
  }

  /** The row is seen no more. */
  leave(taskId: string): void {
    this.#wanted.delete(taskId);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#closing.abort();
    this.#wanted.clear();
  }

  #next(): void {
    if (this.#busy >= AT_ONCE || this.#wanted.size === 0) return;
    const due = [...this.#wanted].find(([taskId]) => this.#waitMs(taskId) <= 0);
    if (due) {
      this.#wanted.delete(due[0]);
      void this.#draw(...due);
      this.#next();
    } else {
      clearTimeout(this.#timer);
      const soonest = Math.min(...[...this.#wanted.keys()].map((taskId) => this.#waitMs(taskId)));
      this.#timer = setTimeout(() => this.#next(), soonest);
    }
  }

  #waitMs(taskId: string): number {
    const drawn = this.#drawn.get(taskId);
    return drawn ? drawn.atMs + AGAIN_MS - Date.now() : 0;
  }

  async #draw(taskId: string, lastSeq: number): Promise<void> {
    this.#busy += 1;
    try {
      const asked = { filter: {}, buckets: SPARK.buckets };
      const spark = sparkOf(await this.#api.histogram(taskId, asked, this.#closing.signal));
      const before = this.#drawn.get(taskId);
      const nowMs = Date.now();
      // Lines may bear the time of another clock; one that came while we looked came now.
      const lastAtMs = before ? Math.max(nowMs, spark.lastAtMs ?? 0) : spark.lastAtMs;
      this.#drawn.delete(taskId);
      this.#drawn.set(taskId, { spark: { ...spark, lastAtMs }, lastSeq, atMs: nowMs });
      const [oldest] = this.#drawn.keys();
      if (this.#drawn.size > KEPT && oldest !== undefined) this.#drawn.delete(oldest);
    } catch {
      // The row is good without it; a task that is deleted meanwhile has none.
    }
    this.#busy -= 1;
    if (!this.#closing.signal.aborted) this.#next();
  }
}
