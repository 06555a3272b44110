import type { JsonObject } from '../core/entry.ts';
import { asTrailError } from '../core/error.ts';
import type { Task } from '../core/task.ts';
import type { Children } from './children.ts';
import type { Distribution, Places } from './distribution.ts';
import type { TaskParts } from './parts.ts';
import { persist } from './persist.ts';
import type { Registered } from './plugin.ts';
import { Run } from './run.ts';
import { isParked, isWaiting, nextStep } from './steps.ts';

export interface QueueOptions {
  readonly parts: TaskParts;
  /** What the runners of its tasks begin with: `plugin:` or `agent:`. */
  readonly prefix: string;
  readonly children: Children;
  readonly concurrency: number;
  /** Brings the tasks that wait. */
  readonly distribution: Distribution;
  /** This process, where several run tasks. */
  readonly worker: string | null;
  readonly beliefs: () => boolean;
  readonly graceMs: number;
  readonly retryFirstMs?: number | undefined;
  /** What a task is run with. Throws why it cannot be run: the task then fails with that. */
  prepare(task: Task): Promise<Prepared>;
  /** A run is over, and the task has ended with it. */
  ended(task: Task): void;
}

export interface Prepared {
  readonly registered: Registered;
  readonly params: JsonObject;
  readonly retries: number;
}

/** Runs get this long when the process stops. */
const STOP_MS = 3_000;

/** Runs the tasks of one kind that are brought to it, so many at once. */
export class Queue implements Places {
  readonly prefix: string;
  readonly #options: QueueOptions;
  readonly #runs = new Map<string, Run>();
  /** Claimed, and not yet running. */
  readonly #claiming = new Set<Promise<void>>();
  #state: 'idle' | 'open' | 'closed' = 'idle';
  #unwatch = (): void => {};
  #closing: Promise<void> | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.prefix = options.prefix;
  }

  get free(): number {
    return this.#options.concurrency - this.taken;
  }

  get taken(): number {
    return this.#runs.size + this.#claiming.size;
  }

  isRunning(taskId: string): boolean {
    return this.#runs.has(taskId);
  }

  start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'open';
    this.#unwatch = this.#options.parts.live.watch((taskId) => this.#runs.get(taskId)?.look());
    this.#options.distribution.start(this);
  }

  /** Something may wait. */
  look(): void {
    this.#options.distribution.look();
  }

  claim(task: Task): Promise<void> {
    const claiming = this.#claim(task).finally(() => this.#claiming.delete(claiming));
    this.#claiming.add(claiming);
    return claiming;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closed';
    await this.#options.distribution.close();
    // What is just being claimed goes back.
    await Promise.allSettled(this.#claiming);
    const runs = [...this.#runs.values()];
    for (const run of runs) run.stop();
    const all = Promise.all(runs.map((run) => run.finished));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
    await Promise.all(runs.filter((run) => this.#runs.get(run.taskId) === run).map((run) => run.abandon()));
    this.#unwatch();
  }

  /** Take a task that waits. Another process, or a person, may be faster. */
  async #claim(task: Task): Promise<void> {
    if (this.#state !== 'open' || !isWaiting(task) || this.#runs.has(task.taskId)) return;
    const { parts, worker, prepare } = this.#options;
    // By the status that it was seen in: an approved plan is executed, everything else begins with its first step.
    const { status: from, metadata } = task;
    const step = nextStep(task);
    const marks = { ...(typeof metadata?.retry_at === 'string' && { retry_at: null }), ...(worker && { worker }) };
    let claimed: Task;
    try {
      const changed = Object.keys(marks).length > 0 ? { metadata: marks } : {};
      claimed = await parts.intake.changeTask(task.taskId, { status: step, ...changed }, [from]);
    } catch (error) {
      const { code } = asTrailError(error);
      if (code === 'invalid_transition' || code === 'task_deleted' || code === 'task_not_found') return;
      throw error;
    }
    try {
      const prepared = await prepare(claimed);
      if (this.#isOpen()) return this.#begin(claimed, prepared);
    } catch (error) {
      return this.#refuse(task.taskId, asTrailError(error).message);
    }
    await parts.intake.changeTask(task.taskId, { status: isParked(task) ? from : 'queued' }, [step]);
  }

  #isOpen(): boolean {
    return this.#state === 'open';
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

  #begin(task: Task, prepared: Prepared): void {
    const { parts, children, worker, beliefs, graceMs, retryFirstMs } = this.#options;
    const run = new Run(task, { parts, children, worker, ...prepared, beliefs, graceMs, retryFirstMs });
    this.#runs.set(run.taskId, run);
    void run.finished.then(() => {
      this.#runs.delete(run.taskId);
      if (run.task.ended) this.#options.ended(run.task);
      this.look();
    });
  }
}
