/* Loads BullMQ, which is not installed with us: imported only where there is a Redis. */
import { setTimeout } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { asTrailError } from '../core/error.ts';
import type { Task } from '../core/task.ts';
import type { Places, SharedDistribution } from './distribution.ts';
import type { TaskParts } from './parts.ts';
import { delayOf } from './retry.ts';
import { isWaiting } from './steps.ts';
import { within } from './within.ts';

export interface BullOptions {
  /** Of the queue. */
  readonly name: string;
  /** What its keys in Redis begin with. */
  readonly prefix: string;
  readonly open: (name: string) => Redis;
  readonly store: TaskParts['store'];
}

/** BullMQ takes 1–2097151, the smallest first; ours is greatest first, and 0 lies in the middle. */
const PRIORITY_MIDDLE = 1_048_576;
/** A job is held for milliseconds. One whose holder died comes back after so long. */
const LOCK_MS = 10_000;
const STALLED_EVERY_MS = 5_000;
/** Its own log of events, which nobody here reads. */
const EVENTS_KEPT = 100;
const RETRY_MS = 500;
const ANSWER_MS = 2_000;
const CLOSE_MS = 1_000;

/**
 * Brings tasks to processes through BullMQ. A job means "this task waits" and nothing more: who takes it lets go of it before the task
 * is claimed in the store, so a job that comes twice, late or never is harmless, and what is lost is offered again by the owner.
 */
export class BullDistribution implements SharedDistribution {
  readonly #options: BullOptions;
  readonly #redis: Redis;
  readonly #jobs: Queue;
  readonly #stop = new AbortController();
  #worker: Worker | undefined;
  #taking: Promise<void> = Promise.resolve();
  #poke = (): void => {};

  constructor(options: BullOptions) {
    const { name, prefix, open } = options;
    this.#options = options;
    this.#redis = open(`queue-${name}`);
    this.#jobs = new Queue(name, {
      ...{ connection: this.#redis, prefix },
      streams: { events: { maxLen: EVENTS_KEPT } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    // That Redis cannot be reached is told by its connections.
    this.#jobs.on('error', () => {});
  }

  async offer(tasks: readonly Task[]): Promise<void> {
    const jobs = tasks.map((task) => ({
      name: 'task',
      data: { taskId: task.taskId },
      opts: { jobId: jobIdOf(task.taskId), priority: priorityOf(task), delay: delayOf(task) },
    }));
    // Nothing piles up while there is no Redis.
    if (this.#redis.status !== 'ready') throw new Error('Redis is not connected');
    await within(this.#jobs.addBulk(jobs), ANSWER_MS, 'Redis');
  }

  start(places: Places): void {
    const { name, prefix, open } = this.#options;
    if (this.#worker || this.#stop.signal.aborted) return;
    const worker = new Worker(name, null, {
      ...{ connection: open(`worker-${name}`), prefix, autorun: false },
      ...{ lockDuration: LOCK_MS, stalledInterval: STALLED_EVERY_MS, skipLockRenewal: true },
    });
    worker.on('error', () => {});
    void worker.startStalledCheckTimer().catch(() => {});
    this.#worker = worker;
    this.#taking = this.#take(worker, places);
  }

  look(): void {
    this.#poke();
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return this.#taking;
    this.#stop.abort();
    this.#poke();
    // Without waiting for what may never be answered.
    const closing = Promise.all([this.#worker?.close(true), this.#jobs.close(), this.#taking]);
    await within(closing, CLOSE_MS, 'Redis').catch(() => {});
  }

  async #take(worker: Worker, places: Places): Promise<void> {
    const { signal } = this.#stop;
    for (let turn = 1; !signal.aborted; turn += 1) {
      try {
        await this.#place(places);
        await this.#next(worker, places, `${worker.id}:${turn}`);
      } catch {
        await setTimeout(RETRY_MS, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  /** Resolves when a place is free. */
  async #place(places: Places): Promise<void> {
    while (places.free <= 0 && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#poke = resolve;
      });
    }
  }

  async #next(worker: Worker, places: Places, token: string): Promise<void> {
    const job = await worker.getNextJob(token);
    if (!job) return;
    const { taskId } = job.data as { readonly taskId: string };
    await job.moveToCompleted(null, token, false);
    // What we do not take now waits on, and is offered to the others.
    if (this.#stop.signal.aborted) return;
    const task = await this.#read(taskId);
    if (!task || !isWaiting(task)) return;
    if (delayOf(task) > 0) await this.offer([task]);
    else await places.claim(task);
  }

  /** Undefined for one that was deleted. */
  async #read(taskId: string): Promise<Task | undefined> {
    try {
      return await this.#options.store.task(taskId);
    } catch (error) {
      const { code } = asTrailError(error);
      if (code === 'task_deleted' || code === 'task_not_found') return undefined;
      throw error;
    }
  }
}

/** BullMQ has its own meaning for colons and numbers; a task id holds no `~`. */
function jobIdOf(taskId: string): string {
  return `task~${taskId.replaceAll(':', '~')}`;
}

function priorityOf({ priority }: Task): number {
  return Math.min(2 * PRIORITY_MIDDLE - 1, Math.max(1, PRIORITY_MIDDLE - Math.round(priority)));
}
