import type { JsonObject } from '../core/entry.ts';
import { asTrailError } from '../core/error.ts';
import type { Task } from '../core/task.ts';
import type { Children } from './children.ts';
import type { TaskParts } from './parts.ts';
import { persist } from './persist.ts';
import type { Registered } from './plugin.ts';
import { delayOf } from './retry.ts';
import { Run } from './run.ts';
import { isParked, nextStep } from './steps.ts';

export interface QueueOptions {
  readonly parts: TaskParts;
  /** What the runners of its tasks begin with: `plugin:` or `agent:`. */
  readonly prefix: string;
  readonly children: Children;
  readonly concurrency: number;
  readonly beliefs: () => boolean;
  readonly graceMs: number;
  readonly retryFirstMs?: number | undefined;
  /** What a task is run with. Throws why it cannot be run: the task then fails with that. */
  prepare(task: Task): { readonly registered: Registered; readonly params: JsonObject; readonly retries: number };
  /** A run is over, and the task has ended with it. */
  ended(task: Task): void;
}

/** Changes of tasks that others make are looked at together. */
const GATHER_MS = 20;
/** After the store refused to tell what waits. */
const RETRY_MS = 1_000;
/** It is looked for attempts that are due so often at least. */
const RETRY_LOOK_MS = 600_000;
/** Runs get this long when the process stops. */
const STOP_MS = 3_000;

/**
 * Takes tasks that wait, in the order of the store, while there are places.
 *
 *   idle ── start ──▶ open ── close ──▶ closed
 *                      │ ▲
 *        look at what waits, after each change of a task and each end of a run
 */
export class Queue {
  readonly #options: QueueOptions;
  readonly #runs = new Map<string, Run>();
  #state: 'idle' | 'open' | 'closed' = 'idle';
  #unwatch = (): void => {};
  #looking = false;
  #filling: Promise<void> = Promise.resolve();
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  /** Wakes when the next attempt of a task is due. */
  #alarm: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'open';
    this.#unwatch = this.#options.parts.live.watch((taskId) => {
      const run = this.#runs.get(taskId);
      if (run) run.look();
      else this.#lookIn(GATHER_MS);
    });
    this.look();
  }

  /** Something may wait. */
  look(): void {
    this.#again = true;
    if (this.#looking || this.#state !== 'open') return;
    this.#looking = true;
    this.#filling = this.#fill();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    clearTimeout(this.#alarm);
    // What is just being claimed goes back.
    await this.#filling;
    const runs = [...this.#runs.values()];
    for (const run of runs) run.stop();
    const all = Promise.all(runs.map((run) => run.finished));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
    await Promise.all(runs.filter((run) => this.#runs.get(run.taskId) === run).map((run) => run.abandon()));
    this.#unwatch();
  }

  #lookIn(delayMs: number): void {
    if (this.#state !== 'open') return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, delayMs).unref();
  }

  async #fill(): Promise<void> {
    while (this.#again && this.#state === 'open') {
      this.#again = false;
      const free = this.#options.concurrency - this.#runs.size;
      if (free <= 0) break;
      try {
        const startable = await this.#startable(free);
        for (const task of startable.slice(0, free)) await this.#claim(task);
        if (startable.length > free) this.#again = true;
      } catch {
        this.#lookIn(RETRY_MS);
      }
    }
    // In the same turn as the last look at `#again`: who asks a moment later must not find us looking still.
    this.#looking = false;
  }

  /** Tasks that wait for a place and may have one now, the first of them; more than `free` when there are more. */
  async #startable(free: number): Promise<readonly Task[]> {
    const { parts, prefix } = this.#options;
    // What runs may itself be `approved` for a moment, and some wait for their next attempt: room for those in the answer.
    for (let limit = free + this.#runs.size; ; limit *= 4) {
      const found = await parts.store.runs(['queued', 'approved'], limit, prefix);
      const waiting = found.filter((task) => isWaiting(task) && !this.#runs.has(task.taskId));
      const due = waiting.filter((task) => delayOf(task) === 0);
      if (due.length < free && found.length === limit) continue;
      this.#wakeFor(waiting.filter((task) => !due.includes(task)));
      return due;
    }
  }

  #wakeFor(later: readonly Task[]): void {
    clearTimeout(this.#alarm);
    if (later.length === 0) return;
    const delayMs = Math.min(...later.map(delayOf), RETRY_LOOK_MS);
    this.#alarm = setTimeout(() => this.look(), delayMs + 1).unref();
  }

  /** Take a task that waits. Another process, or a person, may be faster. */
  async #claim(task: Task): Promise<void> {
    if (this.#state !== 'open') return;
    const { parts, children, beliefs, graceMs, retryFirstMs, prepare } = this.#options;
    // By the status that it was seen in: an approved plan is executed, everything else begins with its first step.
    const { status: from, metadata } = task;
    const step = nextStep(task);
    let claimed: Task;
    try {
      const due = typeof metadata?.retry_at === 'string' ? { metadata: { retry_at: null } } : {};
      claimed = await parts.intake.changeTask(task.taskId, { status: step, ...due }, [from]);
    } catch (error) {
      const { code } = asTrailError(error);
      if (code === 'invalid_transition' || code === 'task_deleted' || code === 'task_not_found') return;
      throw error;
    }
    if (this.#state !== 'open') {
      await parts.intake.changeTask(task.taskId, { status: isParked(task) ? from : 'queued' }, [step]);
      return;
    }
    try {
      const prepared = prepare(claimed);
      this.#begin(new Run(claimed, { parts, children, ...prepared, beliefs, graceMs, retryFirstMs }));
    } catch (error) {
      await this.#refuse(task.taskId, asTrailError(error).message);
    }
  }

  /** A task that cannot be run fails and says why, however long the store refuses to take that. */
  async #refuse(taskId: string, reason: string): Promise<void> {
    const { intake } = this.#options.parts;
    const line = { message: `Task failed: ${reason}`, level: 'ERROR', source: 'system' };
    await persist(
      async () => {
        await intake.changeTask(taskId, { status: 'failed', error: reason }, ['executing', 'discovering']);
        await intake.append({ taskId, body: JSON.stringify(line), format: 'json' });
      },
      () => this.#state !== 'open',
    );
  }

  #begin(run: Run): void {
    this.#runs.set(run.taskId, run);
    void run.finished.then(() => {
      this.#runs.delete(run.taskId);
      if (run.task.ended) this.#options.ended(run.task);
      this.look();
    });
  }
}

/** Approved before it started, or parked; a run that asked for leave in its middle goes on by itself. */
function isWaiting(task: Task): boolean {
  return task.status === 'queued' || (task.status === 'approved' && (task.startedAt === null || isParked(task)));
}
