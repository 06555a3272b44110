import type { Stream } from '../core/entry.ts';
import type { Following, FollowRequest, Live, UnendedLine } from '../core/live.ts';
import type { StoreReader, Wake } from '../core/ports.ts';
import { TopicFollowing } from './following.ts';
import { Topic } from './topic.ts';

/** Changed tasks one slow listener may have waiting; beyond that it is told to look at everything again. */
const CHANGED_TASKS = 10_000;

/**
 * The wake-ups of one process. Whoever commits, or hears of another process's commit, calls `wake`; followers then read
 * from the store after their own cursors. Memory grows with followers, never with lines.
 */
export class LiveHub implements Live {
  readonly #store: StoreReader;
  readonly #everyMs: number;
  readonly #topics = new Map<string, { topic: Topic; followers: number }>();
  readonly #listeners = new Set<(taskId: string) => void>();
  readonly #watchers = new Set<(taskId: string) => void>();
  readonly #tellers = new Set<Wake>();
  readonly #lineTellers = new Set<(line: UnendedLine) => void>();

  constructor(store: StoreReader, options: { changesEveryMs?: number } = {}) {
    this.#store = store;
    this.#everyMs = options.changesEveryMs ?? 100;
  }

  wake(task: Parameters<Wake>[0]): void {
    this.#topics.get(task.taskId)?.topic.wake(task.linesOnly ?? false);
    for (const listener of this.#listeners) listener(task.taskId);
    if (!task.linesOnly) for (const watcher of this.#watchers) watcher(task.taskId);
    if (!task.foreign) for (const teller of this.#tellers) teller(task);
  }

  /** Told of each commit of this process, to tell others. Answers how to stop. */
  commits(teller: Wake): () => void {
    this.#tellers.add(teller);
    return () => {
      this.#tellers.delete(teller);
    };
  }

  /** Told of each unended line of this process, to tell others. Answers how to stop. */
  unended(teller: (line: UnendedLine) => void): () => void {
    this.#lineTellers.add(teller);
    return () => {
      this.#lineTellers.delete(teller);
    };
  }

  /** True while somebody follows a task, or the list of them. */
  get watched(): boolean {
    return this.#topics.size > 0 || this.#listeners.size > 0;
  }

  watch(listener: (taskId: string) => void): () => void {
    this.#watchers.add(listener);
    return () => {
      this.#watchers.delete(listener);
    };
  }

  follow(taskId: string, request: FollowRequest): Following {
    const held = this.#topics.get(taskId) ?? { topic: new Topic(this.#store, taskId), followers: 0 };
    held.followers += 1;
    this.#topics.set(taskId, held);
    return new TopicFollowing(held.topic, request, () => {
      held.followers -= 1;
      if (held.followers > 0) return;
      held.topic.close();
      this.#topics.delete(taskId);
    });
  }

  partial(taskId: string, stream: Stream, text: string): void {
    this.show({ taskId, stream, text });
    for (const teller of this.#lineTellers) teller({ taskId, stream, text });
  }

  /** The same for one of another process. */
  show({ taskId, stream, text }: UnendedLine): void {
    this.#topics.get(taskId)?.topic.partial(stream, text);
  }

  async *changes(signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const changed = new Set<string>();
    let overflown = false;
    let poke = (): void => {};
    const listener = (taskId: string): void => {
      if (changed.size < CHANGED_TASKS) changed.add(taskId);
      else overflown = true;
      poke();
    };
    const onAbort = (): void => poke();
    this.#listeners.add(listener);
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        if (changed.size === 0) {
          await new Promise<void>((resolve) => {
            poke = resolve;
          });
          continue;
        }
        const ids = overflown ? [] : [...changed];
        changed.clear();
        overflown = false;
        yield ids;
        await pause(this.#everyMs, signal);
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** Wait, or less when the signal aborts. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    timer.unref();
    signal.addEventListener('abort', done);
  });
}
