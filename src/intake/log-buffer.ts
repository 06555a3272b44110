import type { EntryInput } from '../core/entry.ts';
import { asTrailError, ERRORS, type TrailError } from '../core/error.ts';
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
    while (task.waits || task.sending) {
      this.#send(task);
      await task.sending;
      if (task.fault) throw task.fault;
    }
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
    return this.#tasks.get(taskId)?.lost ?? 0;
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

  #send(task: TaskBuffer): void {
    if (task.sending || (!task.waits && task.lost === 0)) return;
    clearTimeout(task.retry);
    task.sending = this.#deliver(task).finally(() => {
      task.sending = undefined;
      this.#after(task);
    });
  }

  async #deliver(task: TaskBuffer): Promise<void> {
    const { taskId } = task;
    const batch = task.next();
    try {
      if (task.lost > 0) await this.#tellLoss(task);
      if (batch) {
        await this.#intake.append({ taskId, packed: batch.lines });
        this.#free(task, batch.bytes);
      }
      task.underWay = undefined;
      task.fault = undefined;
      task.delayMs = RETRY_FIRST_MS;
    } catch (error) {
      task.fault = asTrailError(error);
      if (ERRORS[task.fault.code].retry && !this.#closed) return;
      // It will never be taken: what it held is lost, and the next lines have their own chance.
      task.underWay = undefined;
      this.#free(task, batch?.bytes ?? 0);
      task.lost += batch?.lines.ends.length ?? 0;
    }
  }

  /** One WARNING where lines are missing, and their count on the task. */
  async #tellLoss(task: TaskBuffer): Promise<void> {
    const { taskId, lost } = task;
    await this.#intake.append({ taskId, body: JSON.stringify(lossNote(lost, REASON)), format: 'json' });
    task.lost -= lost;
  }

  #free(task: TaskBuffer, bytes: number): void {
    task.bytes -= bytes;
    this.#heldBytes -= bytes;
    for (const resolve of task.draining.splice(0)) resolve();
  }

  #after(task: TaskBuffer): void {
    if (task.fault && task.waits) {
      task.retry = setTimeout(() => this.#send(task), task.delayMs);
      task.retry.unref();
      task.delayMs = Math.min(task.delayMs * 2, RETRY_MAX_MS);
    } else if (task.waitingBytes >= SEND_BYTES) {
      this.#send(task);
    } else if (task.waits) {
      this.#timer ??= setTimeout(this.#onTimer, this.#flushMs);
    } else if (task.lost === 0) {
      this.#tasks.delete(task.taskId);
    }
  }
}

interface TakenLines {
  readonly lines: PackedLines;
  readonly bytes: number;
}

class TaskBuffer {
  readonly taskId: string;
  readonly packer = new LinePacker();
  /** The batch under way; it stays until it was taken, and goes first again. */
  underWay: TakenLines | undefined;
  /** Bytes of all lines held, those under way included; and of those not sent yet. */
  bytes = 0;
  waitingBytes = 0;
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
    return this.packer.size > 0 || this.underWay !== undefined;
  }

  /** The batch to send now: the one that was refused before, else everything that waits. */
  next(): TakenLines | undefined {
    if (this.underWay || this.packer.size === 0) return this.underWay;
    this.underWay = { lines: this.packer.take(), bytes: this.waitingBytes };
    this.waitingBytes = 0;
    return this.underWay;
  }
}
