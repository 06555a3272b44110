import type { EntryInput } from '../core/entry.ts';
import { asTrailError, ERRORS, type ErrorCode, type TrailError } from '../core/error.ts';
import { BUFFER_BYTES, FLUSH_MS, RETRY_FIRST_MS, RETRY_MAX_MS, TASK_BUFFER_BYTES } from '../core/limits.ts';
import { lossNote } from '../core/loss.ts';
import type { PackedLines } from '../core/packed.ts';
import type { Intake } from '../core/ports.ts';
import { LinePacker } from './packed.ts';

export interface LogBufferOptions {
  /** Longest time that a line nobody awaits stays unwritten (default 25 ms). */
  readonly flushMs?: number;
  /** Memory one task's unwritten lines may take (default 16 MiB). */
  readonly taskBytes?: number;
}

/** After these nothing can be told on the task any more. */
const GONE: ReadonlySet<ErrorCode> = new Set(['task_deleted', 'task_not_found', 'store_closed']);
const REASON = 'they came faster than they could be stored';
/** Lines of this size are sent without waiting for the flush interval: one good commit. */
const SEND_BYTES = 256 * 1024;

/**
 * Lines that nobody awaits, gathered per task until the flush interval ends, enough have come, or somebody asks. A task is
 *
 *   idle      nothing waits
 *   waiting   lines wait for the interval, or for the batch under way to be committed
 *   sending   one batch is at the intake; its successor waits, so that order holds
 *   retrying  the store refused for now; the batch is kept and tried again with growing delay
 *
 * Memory is bounded: a line that finds no room is counted, and the next batch reports the count on the task itself.
 */
export class LogBuffer {
  readonly #intake: Pick<Intake, 'append'>;
  readonly #flushMs: number;
  readonly #taskBytes: number;
  readonly #tasks = new Map<string, TaskBuffer>();
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(intake: Pick<Intake, 'append'>, options: LogBufferOptions = {}) {
    this.#intake = intake;
    this.#flushMs = options.flushMs ?? FLUSH_MS;
    this.#taskBytes = options.taskBytes ?? TASK_BUFFER_BYTES;
  }

  /** Keep a line. Never throws; false when there was no room and the line was only counted. */
  add(taskId: string, entry: EntryInput): boolean {
    const task = this.#taskOf(taskId);
    if (this.#closed || task.bytes >= this.#taskBytes || this.#heldBytes >= BUFFER_BYTES) {
      task.lost += 1;
      return false;
    }
    const bytes = task.packer.add(entry);
    task.added += 1;
    task.bytes += bytes;
    task.waitingBytes += bytes;
    this.#heldBytes += bytes;
    if (task.waitingBytes >= SEND_BYTES) this.#send(task);
    else this.#timer ??= setTimeout(this.#onTimer, this.#flushMs);
    return true;
  }

  /** Resolves when every line so far is committed. Rejects when they could not be; what was kept goes on being tried. */
  async flush(taskId: string): Promise<void> {
    const task = this.#tasks.get(taskId);
    if (!task) return;
    // Up to here and no further: whoever goes on logging meanwhile does not hold this caller up.
    const goal = task.added;
    while (task.settled < goal) await this.#sent(task);
    if (task.lost > 0 || task.underWay) await this.#sent(task);
  }

  /** Resolves when less than half of the task's buffer is in use. */
  async drain(taskId: string): Promise<void> {
    const task = this.#tasks.get(taskId);
    // A turn of the event loop, so that receipts of what was sent come in even where the caller never waits for anything else.
    await new Promise((resolve) => setImmediate(resolve));
    while (task && task.bytes > this.#taskBytes / 2 && !this.#closed) {
      await new Promise<void>((resolve) => task.draining.push(resolve));
    }
  }

  /** Lines of a task that could not be kept and are not reported yet. */
  lost(taskId: string): number {
    const task = this.#tasks.get(taskId);
    return task ? task.lost + (task.underWay?.lost ?? 0) : 0;
  }

  /** Commit what waits, then keep no more. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.allSettled([...this.#tasks.keys()].map((taskId) => this.flush(taskId)));
    for (const task of this.#tasks.values()) {
      clearTimeout(task.retry);
      for (const resolve of task.draining.splice(0)) resolve();
    }
    this.#tasks.clear();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    for (const task of this.#tasks.values()) this.#send(task);
  };

  #taskOf(taskId: string): TaskBuffer {
    let task = this.#tasks.get(taskId);
    if (!task) {
      task = new TaskBuffer(taskId);
      this.#tasks.set(taskId, task);
    }
    return task;
  }

  async #sent(task: TaskBuffer): Promise<void> {
    this.#send(task);
    await task.sending;
    if (task.fault) throw task.fault;
  }

  #send(task: TaskBuffer): void {
    if (task.sending || !task.waits) return;
    clearTimeout(task.retry);
    task.sending = this.#deliver(task, task.next()).finally(() => {
      task.sending = undefined;
      this.#after(task);
    });
  }

  /** Send the lines, then the note of those that found no room behind them. What was taken is not sent again. */
  async #deliver(task: TaskBuffer, batch: TakenLines): Promise<void> {
    const { taskId } = task;
    try {
      if (batch.lines) {
        await this.#intake.append({ taskId, packed: batch.lines });
        this.#settle(task, batch);
      }
      if (batch.lost > 0) {
        const note = JSON.stringify(lossNote(batch.lost, REASON));
        await this.#intake.append({ taskId, body: note, format: 'json' });
      }
      task.underWay = undefined;
      task.fault = undefined;
      task.delayMs = RETRY_FIRST_MS;
    } catch (error) {
      task.fault = asTrailError(error);
      if (ERRORS[task.fault.code].retry && !this.#closed) return;
      // It will never be taken: what it held is lost, and the next lines have their own chance.
      task.lost += batch.lost + (batch.lines?.ends.length ?? 0);
      this.#settle(task, batch);
      task.underWay = undefined;
      // Of a task that is gone there is nobody to tell.
      if (GONE.has(task.fault.code)) this.#tasks.delete(taskId);
    }
  }

  #settle(task: TaskBuffer, batch: TakenLines): void {
    task.settled += batch.lines?.ends.length ?? 0;
    this.#free(task, batch.bytes);
    batch.lines = undefined;
    batch.bytes = 0;
  }

  #free(task: TaskBuffer, bytes: number): void {
    task.bytes -= bytes;
    this.#heldBytes -= bytes;
    for (const resolve of task.draining.splice(0)) resolve();
  }

  #after(task: TaskBuffer): void {
    if (this.#tasks.get(task.taskId) !== task) return;
    if (!task.waits) {
      this.#tasks.delete(task.taskId);
    } else if (task.fault) {
      task.retry = setTimeout(() => this.#send(task), task.delayMs);
      task.retry.unref();
      task.delayMs = Math.min(task.delayMs * 2, RETRY_MAX_MS);
    } else if (task.waitingBytes >= SEND_BYTES) {
      this.#send(task);
    } else {
      this.#timer ??= setTimeout(this.#onTimer, this.#flushMs);
    }
  }
}

/** A batch under way: what is not sent yet of its lines and of the count of lines that were lost behind them. */
interface TakenLines {
  lines: PackedLines | undefined;
  bytes: number;
  readonly lost: number;
}

class TaskBuffer {
  readonly taskId: string;
  readonly packer = new LinePacker();
  /** The batch under way; it stays until it was taken, and goes first again. */
  underWay: TakenLines | undefined;
  /** Lines ever kept, and of those the ones that were committed or given up. */
  added = 0;
  settled = 0;
  /** Bytes of all lines held, those under way included; and of those not sent yet. */
  bytes = 0;
  waitingBytes = 0;
  /** Lines that found no room and are in no batch's count yet. */
  lost = 0;
  readonly draining: (() => void)[] = [];
  sending: Promise<void> | undefined;
  retry: NodeJS.Timeout | undefined;
  delayMs = RETRY_FIRST_MS;
  fault: TrailError | undefined;

  constructor(taskId: string) {
    this.taskId = taskId;
  }

  get waits(): boolean {
    return this.packer.size > 0 || this.underWay !== undefined || this.lost > 0;
  }

  /** The batch to send now: the one that was refused before, else everything that waits. */
  next(): TakenLines {
    if (this.underWay) return this.underWay;
    const lines = this.packer.size > 0 ? this.packer.take() : undefined;
    this.underWay = { lines, bytes: this.waitingBytes, lost: this.lost };
    this.waitingBytes = 0;
    this.lost = 0;
    return this.underWay;
  }
}
