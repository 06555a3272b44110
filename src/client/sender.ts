import { ulid } from 'ulid';
import type { EntryInput } from '../core/entry.ts';
import { asTrailError, ERRORS, type TrailError } from '../core/error.ts';
import { FLUSH_MS, RETRY_FIRST_MS, RETRY_MAX_MS, TASK_BUFFER_BYTES } from '../core/limits.ts';
import { lossNote } from '../core/loss.ts';
import { readableObject } from '../core/readable.ts';

export interface SenderOptions {
  /** Deliver a batch: NDJSON of entries. The same key means the same batch again. */
  readonly send: (body: string, key: string) => Promise<unknown>;
  /** Longest time that a line nobody awaits stays unsent (default 25 ms). */
  readonly flushMs?: number;
  /** Memory the unsent lines may take (default 16 MiB). */
  readonly maxBytes?: number;
}

/** Lines of this size are sent without waiting for the flush interval; a batch takes at most `BATCH_CHARS`. */
const SEND_CHARS = 256 * 1024;
const BATCH_CHARS = 2 * 1024 * 1024;
/** What a line costs besides its text: the string and its place in the list. */
const LINE_OVERHEAD = 32;

interface SentBatch {
  readonly body: string;
  readonly key: string;
  readonly bytes: number;
  readonly lines: number;
}

/**
 * One task's lines on their way to a server, in order, one batch at a time. A sender is
 *
 *   idle      nothing waits
 *   waiting   lines wait for the flush interval
 *   sending   one batch is under way, what comes meanwhile waits for its turn
 *   retrying  the server refused for now or is gone; the very same batch is tried again with growing delay
 *
 * Memory is bounded: a line that finds no room is counted, and the next batch begins with a line that tells the count.
 */
export class LineSender {
  readonly #options: SenderOptions;
  readonly #maxBytes: number;
  #lines: string[] = [];
  #next = 0;
  #waitingBytes = 0;
  #added = 0;
  /** Lines that were delivered or refused for good. */
  #settled = 0;
  #lost = 0;
  #batch: SentBatch | undefined;
  #sending: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #delayMs = RETRY_FIRST_MS;
  #fault: TrailError | undefined;
  readonly #draining: (() => void)[] = [];
  #closed = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? TASK_BUFFER_BYTES;
  }

  /** Keep a line. Never throws; false when there was no room and the line was only counted. */
  add(entry: EntryInput): boolean {
    const json = encoded(entry);
    const bytes = json.length + LINE_OVERHEAD;
    const held = this.#heldBytes + bytes;
    if (this.#closed || held > this.#maxBytes) {
      this.#lost += 1;
      if (!this.#closed) this.#wait();
      return false;
    }
    this.#added += 1;
    this.#lines.push(json);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes >= SEND_CHARS) this.#send();
    else this.#wait();
    return true;
  }

  /** Resolves when every line so far is delivered. Rejects when it could not be; what was kept goes on being tried. */
  async flush(): Promise<void> {
    const goal = this.#added;
    do {
      this.#send();
      await this.#sending;
      if (this.#fault) throw this.#fault;
    } while (this.#settled < goal);
  }

  /** More than half of the memory is in use: who can wait should. */
  get isPressed(): boolean {
    return this.#heldBytes > this.#maxBytes / 2;
  }

  /** Resolves when less than half of the memory is in use. */
  async drain(): Promise<void> {
    // A turn of the event loop, so that answers come in even where the caller never waits for anything else.
    await new Promise((resolve) => setTimeout(resolve));
    while (this.isPressed && !this.#closed) {
      await new Promise<void>((resolve) => this.#draining.push(resolve));
    }
  }

  /** Lines that could not be kept and are not told of yet. */
  get lost(): number {
    return this.#lost;
  }

  /** Try once more to deliver what waits, then keep no more. Safe to call twice. */
  async close(): Promise<void> {
    const last = this.#closed ? undefined : this.flush();
    this.#closed = true;
    await last?.catch(() => {});
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    this.#wakeDraining();
  }

  get #heldBytes(): number {
    return this.#waitingBytes + (this.#batch?.bytes ?? 0);
  }

  #wakeDraining(): void {
    for (const resolve of this.#draining.splice(0)) resolve();
  }

  #wait(): void {
    if (this.#timer || this.#batch) return;
    this.#timer = setTimeout(() => this.#send(), this.#options.flushMs ?? FLUSH_MS);
  }

  #send(): void {
    if (this.#sending) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    this.#timer = undefined;
    this.#batch ??= this.#take();
    if (!this.#batch) return;
    this.#sending = this.#deliver(this.#batch).finally(() => {
      this.#sending = undefined;
      this.#wakeDraining();
      this.#after();
    });
  }

  async #deliver(batch: SentBatch): Promise<void> {
    try {
      await this.#options.send(batch.body, batch.key);
      this.#batch = undefined;
      this.#settled += batch.lines;
      this.#fault = undefined;
      this.#delayMs = RETRY_FIRST_MS;
    } catch (error) {
      this.#fault = asTrailError(error);
      if (ERRORS[this.#fault.code].retry) return;
      this.#batch = undefined;
      this.#settled += batch.lines;
      this.#lost += batch.lines;
    }
  }

  #after(): void {
    if (this.#batch) {
      if (this.#closed) return;
      this.#retry = setTimeout(() => this.#send(), this.#delayMs);
      unref(this.#retry);
      this.#delayMs = Math.min(this.#delayMs * 2, RETRY_MAX_MS);
    } else if (this.#waitingBytes >= SEND_CHARS) {
      this.#send();
    } else if (this.#waitingBytes > 0) {
      this.#wait();
    }
  }

  /** The next batch, led by a note when lines are missing. A refused batch's own loss waits for the next line to come. */
  #take(): SentBatch | undefined {
    if (this.#waitingBytes === 0 && (this.#lost === 0 || this.#fault)) return undefined;
    const lines =
      this.#lost > 0 ? [encoded(lossNote(this.#lost, 'they came faster than they could be delivered'))] : [];
    this.#lost = 0;
    const noted = lines.length;
    let bytes = 0;
    while (this.#next < this.#lines.length && bytes < BATCH_CHARS) {
      const line = this.#lines[this.#next++] ?? '';
      lines.push(line);
      bytes += line.length + LINE_OVERHEAD;
    }
    this.#waitingBytes -= bytes;
    // What was taken is let go of, also while the list is never empty; each line is moved once at most.
    if (this.#next > this.#lines.length / 2) {
      this.#lines = this.#lines.slice(this.#next);
      this.#next = 0;
    }
    return { body: lines.join('\n'), key: ulid(), bytes, lines: lines.length - noted };
  }
}

/** The line as JSON with its time. What JSON cannot say is made readable instead of thrown: logging must not break what is logged. */
function encoded({ metadata, ...entry }: EntryInput): string {
  const line = readableObject({ ...entry, timestamp: entry.timestamp ?? Date.now() });
  return metadata == null ? line : `${line.slice(0, -1)},"metadata":${readableObject(metadata)}}`;
}

/** In Node a timer must not keep a finished program alive; browsers have no such thing. */
export function unref(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
    timer.unref();
}
