import type { Stream } from '../core/entry.ts';
import type { LogFilter } from '../core/filter.ts';
import type { FollowEvent, Following, FollowRequest } from '../core/live.ts';
import type { Task } from '../core/task.ts';
import type { Topic } from './topic.ts';

/**
 * One reader's way along a task:
 *
 *   stored lines ──▶ caught_up ──▶ wait for a wake-up ──▶ lines after the cursor ──▶ … ──▶ end
 *
 * Every step reads after the cursor, so what it sends has no gap and nothing twice, whatever was woken when. The version is
 * taken before the read and compared before waiting, so a commit between the two is never slept through.
 */
export class TopicFollowing implements Following {
  scannedTo = 0;
  readonly #topic: Topic;
  readonly #release: () => void;
  readonly #request: FollowRequest;
  readonly #shown = new Map<Stream, string>();
  #filter: LogFilter;
  #poke: (() => void) | undefined;
  #poked = false;
  #closed = false;

  constructor(topic: Topic, request: FollowRequest, release: () => void) {
    this.#topic = topic;
    this.#request = request;
    this.#filter = request.filter ?? {};
    this.#release = release;
    topic.listeners.add(this.#onTell);
    request.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (request.signal?.aborted) this.close();
  }

  setFilter(filter: LogFilter): void {
    this.#filter = filter;
    this.#onTell();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#topic.listeners.delete(this.#onTell);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#release();
    this.#onTell();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FollowEvent> {
    try {
      yield* this.#events();
    } finally {
      this.close();
    }
  }

  async *#events(): AsyncGenerator<FollowEvent> {
    const { after, tail } = this.#request;
    let told: Task | undefined;
    let caughtUp = false;
    this.scannedTo = after ?? (tail === undefined ? 0 : await this.#topic.cursorOfTail(tail, this.#filter));
    while (!this.#closed) {
      const version = this.#topic.version;
      // The task before the lines: when it had ended by then, the lines that follow are all there will be at its end.
      const task = await this.#topic.task();
      if (task !== told) yield { type: 'status', task };
      told = task;
      for await (const event of this.#stored()) yield event;
      if (this.#closed) return;
      if (!caughtUp) yield { type: 'caught_up', lastSeq: this.scannedTo };
      caughtUp = true;
      // Late lines may have come since; their wake-up has changed the version, and the next round reads them first.
      if (task.ended && version === this.#topic.version) {
        yield { type: 'end', lastSeq: this.scannedTo };
        return;
      }
      for (const event of this.#partials()) yield event;
      await this.#wait(version);
    }
  }

  async *#stored(): AsyncGenerator<FollowEvent> {
    while (!this.#closed) {
      const filter = this.#filter;
      const page = await this.#topic.read(this.scannedTo, filter);
      if (this.#closed) return;
      // The filter changed under the read: ask again with the new one from the same place.
      if (filter !== this.#filter) continue;
      this.scannedTo = Math.max(this.scannedTo, page.scannedTo);
      if (page.count > 0) yield { type: 'entries', page };
      if (page.done) return;
    }
  }

  *#partials(): Generator<FollowEvent> {
    const { streams, search } = this.#filter;
    for (const stream of ['stdout', 'stderr'] as const) {
      const wanted = search === undefined && (streams === undefined || streams.includes(stream));
      const text = (wanted && this.#topic.partials.get(stream)) || '';
      if (text === (this.#shown.get(stream) ?? '')) continue;
      this.#shown.set(stream, text);
      yield { type: 'partial', stream, text };
    }
  }

  async #wait(version: number): Promise<void> {
    if (this.#closed || version !== this.#topic.version) return;
    if (!this.#poked) {
      await new Promise<void>((resolve) => {
        this.#poke = resolve;
      });
    }
    this.#poked = false;
  }

  readonly #onAbort = (): void => this.close();

  readonly #onTell = (): void => {
    this.#poked = true;
    this.#poke?.();
    this.#poke = undefined;
  };
}
