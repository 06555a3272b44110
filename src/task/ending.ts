import type { JsonObject } from '../core/entry.ts';
import { PLAN_CHARS } from '../core/limits.ts';
import type { Status } from '../core/status.ts';
import type { Task, TaskChange } from '../core/task.ts';
import { type LineSink, textOf } from '../core/task-logger.ts';
import type { Logger } from '../core/trail.ts';
import type { Figures } from './figures.ts';
import { failureOf, keptResult } from './outcome.ts';
import { persist } from './persist.ts';
import { isFinal, nextAttempt, type Retry } from './retry.ts';

export interface EndingParts {
  readonly sink: LineSink;
  /** Speaks for the manager. */
  readonly system: Logger;
  readonly figures: Figures;
  /** As it was last seen. */
  readonly task: () => Task;
  readonly change: (change: TaskChange, from?: readonly Status[]) => Promise<Task>;
  /** What is written need not be tried again. */
  readonly isStopping: () => boolean;
  /** What it returns is a plan. */
  readonly planning: boolean;
  /** It may begin again when its server stopped. */
  readonly restartable: boolean;
  readonly retries: number;
  readonly retryFirstMs: number | undefined;
}

/** What a task says that its server left in the middle. */
export const SERVER_STOPPED = 'server stopped';

/** Writes down, once, how a run ended. When somebody else ended its task there is nothing to say. */
export class Ending {
  readonly #parts: EndingParts;
  /** It was, or is just being. */
  #written = false;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** Nothing of the task may be changed any more. */
  get written(): boolean {
    return this.#written;
  }

  /** Others write how it ends. */
  leave(): void {
    this.#written = true;
  }

  async returned(value: unknown): Promise<void> {
    if (this.#written) return;
    const { planning, system, figures } = this.#parts;
    if (planning) return this.#park(value);
    const { result, warning } = keptResult(value);
    if (warning !== undefined) system.warning(warning);
    system.info('Task completed');
    await this.#record({ status: 'completed', result, metrics: figures.atEnd });
  }

  async threw(error: unknown): Promise<void> {
    if (this.#written) return;
    const { system, figures } = this.#parts;
    const failure = failureOf(error);
    const retry = isFinal(error) ? undefined : this.retryAfter(failure.error);
    if (retry) return this.#again(retry);
    system.error(`Task failed: ${failure.error}`, { error });
    await this.#record({ status: 'failed', ...failure, metrics: figures.atEnd });
  }

  async timedOut(error: string): Promise<void> {
    if (this.#written) return;
    const { system, figures } = this.#parts;
    system.error(`Task ${error}`);
    await this.#record({ status: 'timed_out', error, metrics: figures.atEnd });
  }

  /** The server stops in the middle of it. */
  async interrupted(): Promise<void> {
    if (this.#written || this.#parts.task().ended) return;
    const { system, restartable } = this.#parts;
    system.warning(restartable ? 'The server stops; the task will start again with it' : 'The server stops');
    await this.#record(restartable ? { status: 'queued' } : { status: 'failed', error: SERVER_STOPPED });
  }

  /** Its task was ended, and it has come to an end itself: what it had cost until then. */
  async late(): Promise<void> {
    const { sink, figures, change, task } = this.#parts;
    await sink.flush().catch(() => {});
    const { status, ended } = task();
    const metrics = figures.atEnd;
    if (ended && Object.keys(metrics).length > 0) await change({ metrics }, [status]).catch(() => {});
  }

  /** The attempt after one that failed now, if it has one. */
  retryAfter(error: string): Retry | undefined {
    const { task, retries, retryFirstMs: firstMs } = this.#parts;
    return nextAttempt(task(), error, { retries, firstMs });
  }

  /** A plan waits for a person, which may take days, without a run. */
  async #park(value: unknown): Promise<void> {
    const { sink, figures } = this.#parts;
    const plan = textOf(value).slice(0, PLAN_CHARS).toWellFormed();
    sink.add({ message: plan, type: 'output', source: 'system', metadata: { plan: true } });
    await this.#record({ status: 'pending_approval', metadata: { plan }, metrics: figures.soFar });
  }

  /** What was approved is not planned again. */
  async #again({ message, metadata }: Retry): Promise<void> {
    const { system, task, planning, figures } = this.#parts;
    system.warning(message);
    const status = task().params?.approval === true && !planning ? 'approved' : 'queued';
    await this.#record({ status, metadata, metrics: figures.soFar });
  }

  async #record(change: TaskChange): Promise<void> {
    const { sink, change: write, task, isStopping } = this.#parts;
    const deaf: JsonObject = task().metadata?.takes_input === true ? { takes_input: null } : {};
    const metadata: JsonObject = { ...change.metadata, ...deaf };
    const end = async (): Promise<void> => {
      await sink.flush();
      await write({ ...change, metadata });
    };
    this.#written = true;
    this.#written = await persist(end, isStopping);
  }
}
