import type { Stream } from '../core/entry.ts';
import { filterKey, type LogFilter } from '../core/filter.ts';
import { FRAME_BYTES, PARTIAL_EVERY_MS, READ_ROWS } from '../core/limits.ts';
import type { EntryPage } from '../core/page.ts';
import type { StoreReader } from '../core/ports.ts';
import type { Task } from '../core/task.ts';

/** Lines one step of a follower takes: enough to catch up fast, few enough to stay a small frame. */
const STEP_LINES = 1_000;

/**
 * What the followers of one task share while there is at least one: the wake-ups, and the reads. Many viewers stand at the same
 * cursor with the same filter; they get the same page from one read. A page is kept until the next wake-up.
 */
export class Topic {
  readonly taskId: string;
  /** Grows with every wake-up: compare it before waiting, and none is missed. */
  version = 0;
  readonly partials = new Map<Stream, string>();
  readonly listeners = new Set<() => void>();
  readonly #store: StoreReader;
  readonly #pages = new Map<string, Promise<EntryPage>>();
  #task: Promise<Task> | undefined;
  #pacing: NodeJS.Timeout | undefined;
  #partialsToldMs = Number.NEGATIVE_INFINITY;

  constructor(store: StoreReader, taskId: string) {
    this.#store = store;
    this.taskId = taskId;
  }

  wake(linesOnly: boolean): void {
    this.version += 1;
    this.#pages.clear();
    if (!linesOnly) this.#task = undefined;
    this.#tell();
  }

  /** An unended line that changes is shown at most 4 times a second; that it has ended is shown at once. */
  partial(stream: Stream, text: string): void {
    if (text === '') this.partials.delete(stream);
    else this.partials.set(stream, text);
    if (text === '') this.#tell();
    else
      this.#pacing ??= setTimeout(
        this.#onPaced,
        Math.max(0, this.#partialsToldMs + PARTIAL_EVERY_MS - performance.now()),
      ).unref();
  }

  close(): void {
    clearTimeout(this.#pacing);
  }

  readonly #onPaced = (): void => {
    this.#pacing = undefined;
    this.#partialsToldMs = performance.now();
    this.#tell();
  };

  /** Lines after a seq; shared with every follower that asks the same before the next wake-up. */
  read(after: number, filter: LogFilter): Promise<EntryPage> {
    const key = `${after} ${filterKey(filter)}`;
    const known = this.#pages.get(key);
    if (known) return known;
    const page = this.#store.read(this.taskId, { after, filter, limit: STEP_LINES, maxBytes: FRAME_BYTES });
    this.#pages.set(key, page);
    // Nobody at this cursor may be left with a failed read: the next one tries again.
    page.catch(() => this.#pages.delete(key));
    // A follower far behind reads pages that nobody else wants: they need not stay until the next wake-up.
    if (this.#pages.size > 16) this.#pages.delete(this.#pages.keys().next().value ?? '');
    return page;
  }

  /** The first of the last `tail` matching lines, as a cursor before it. */
  async cursorOfTail(tail: number, filter: LogFilter): Promise<number> {
    let before: number | undefined;
    let left = tail;
    while (left > 0) {
      const limit: number = Math.min(left, READ_ROWS);
      const query = { filter, limit, order: 'desc' as const, ...(before !== undefined && { before }) };
      const page = await this.#store.read(this.taskId, query);
      left -= page.count;
      before = left === 0 && page.firstSeq !== null ? page.firstSeq : page.scannedTo;
      if (left === 0 || page.done) break;
    }
    if (before === undefined) return (await this.#store.task(this.taskId)).log.lastSeq;
    return left > 0 ? 0 : before - 1;
  }

  /** The task as it is since the last change of its status or fields; its counters may be older than its lines. */
  task(): Promise<Task> {
    if (!this.#task) {
      const task = this.#store.task(this.taskId);
      this.#task = task;
      task.catch(() => {
        if (this.#task === task) this.#task = undefined;
      });
    }
    return this.#task;
  }

  #tell(): void {
    for (const listener of this.listeners) listener();
  }
}
