import type { JsonObject } from '../core/entry.ts';
import { asTrailError, ERRORS } from '../core/error.ts';
import { RETRY_FIRST_MS, RETRY_MAX_MS } from '../core/limits.ts';
import type { Task } from '../core/task.ts';
import type { Children } from './children.ts';
import type { TaskParts } from './parts.ts';
import type { Registered } from './plugin.ts';
import { Run } from './run.ts';

export interface QueueOptions {
  readonly parts: TaskParts;
  /** What the runners of its tasks begin with: `plugin:` or `agent:`. */
  readonly prefix: string;
  readonly children: Children;
  readonly concurrency: number;
  readonly beliefs: () => boolean;
  readonly graceMs: number;
  /** What a task is run with. Throws why it cannot be run: the task then fails with that. */
  prepare(task: Task): { readonly registered: Registered; readonly params: JsonObject };
}

/** Changes of tasks that others make are looked at together. */
const GATHER_MS = 20;
/** After the store refused to tell what waits. */
const RETRY_MS = 1_000;
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
  #again = false;
  #timer: NodeJS.Timeout | undefined;
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
    void this.#fill().finally(() => {
      this.#looking = false;
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#timer);
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
      if (free <= 0) return;
      try {
        // What runs may itself be `approved` for a moment: room for those in the answer.
        const { parts, prefix } = this.#options;
        const waiting = await parts.store.runs(['queued', 'approved'], free + this.#runs.size, prefix);
        const startable = waiting.filter((task) => isWaiting(task) && !this.#runs.has(task.taskId));
        for (const task of startable.slice(0, free)) await this.#claim(task);
        if (startable.length > free) this.#again = true;
      } catch {
        this.#lookIn(RETRY_MS);
      }
    }
  }

  /** Take a task that waits. Another process, or a person, may be faster. */
  async #claim(task: Task): Promise<void> {
    if (this.#state !== 'open') return;
    const { parts, children, beliefs, graceMs, prepare } = this.#options;
    let claimed: Task;
    try {
      claimed = await parts.intake.changeTask(task.taskId, { status: 'executing' }, ['queued', 'approved']);
    } catch (error) {
      const { code } = asTrailError(error);
      if (code === 'invalid_transition' || code === 'task_deleted' || code === 'task_not_found') return;
      throw error;
    }
    if (this.#state !== 'open') {
      await parts.intake.changeTask(task.taskId, { status: 'queued' }, ['executing']);
      return;
    }
    try {
      const { registered, params } = prepare(claimed);
      this.#begin(new Run(claimed, { parts, children, registered, params, beliefs, graceMs }));
    } catch (error) {
      await this.#refuse(task.taskId, asTrailError(error).message);
    }
  }

  /** A task that cannot be run fails and says why, however long the store refuses to take that. */
  async #refuse(taskId: string, reason: string): Promise<void> {
    const { intake } = this.#options.parts;
    const line = { message: `Task failed: ${reason}`, level: 'ERROR', source: 'system' };
    for (let delayMs = RETRY_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
      try {
        await intake.changeTask(taskId, { status: 'failed', error: reason }, ['executing']);
        await intake.append({ taskId, body: JSON.stringify(line), format: 'json' });
        return;
      } catch (error) {
        const { code } = asTrailError(error);
        // Ended by somebody else, deleted, or closed: there is nothing left to say.
        if (!ERRORS[code].retry || code === 'store_closed' || this.#state !== 'open') return;
        await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
      }
    }
  }

  #begin(run: Run): void {
    this.#runs.set(run.taskId, run);
    void run.finished.then(() => {
      this.#runs.delete(run.taskId);
      this.look();
    });
  }
}

/** Approved before it started; a run that asked for leave in its middle goes on by itself. */
function isWaiting({ status, startedAt }: Task): boolean {
  return status === 'queued' || (status === 'approved' && startedAt === null);
}
