import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { markedMessage } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { type ListedLine, listKey } from '../../core/list.ts';
import type { EntryPage } from '../../core/page.ts';
import type { Task } from '../../core/task.ts';
import { type Clock, systemClock } from '../../core/time.ts';
import type { WireEntry } from '../../core/wire.ts';
import { ChangeFollower, type FollowerOptions } from '../follower.ts';
import { Slots } from '../slots.ts';
import { append, isOthers, placeKey } from './list.ts';

export interface RedisMirrorOptions extends Pick<FollowerOptions, 'store' | 'live' | 'intake' | 'log'> {
  /** A connection of its own, on which what is asked waits until Redis is back. */
  readonly redis: Redis;
  /** Seconds after its last line at which a list expires. */
  readonly ttlSeconds: number;
  /** Newest lines that a list holds; 0 writes none. */
  readonly max: number;
  readonly clock?: Clock;
}

export interface MirrorStats {
  /** Lines and batches written since the start. */
  readonly lines: number;
  readonly batches: number;
  /** Batches that Redis refused, or that could not be read; each was tried again. */
  readonly failures: number;
}

/** The last line that a list holds; null when there is no list, undefined when only Redis knows. */
type Place = number | null | undefined;

interface Step {
  readonly place: Place;
  readonly done: boolean;
}

const DONE: Step = { place: undefined, done: true };
/** Batches on their way at once: each is a page of lines in memory. */
const UNDER_WAY = 4;
const BATCH_LINES = 2_000;
/** Characters of JSON that are read a millisecond, over all tasks: some 20,000 lines a second, and the cores are left to intake. */
const CHARS_PER_MS = 6_000;
/** Tasks that are looked at again when the connection was away. */
const REMEMBERED = 10_000;
const AGAIN_MS = 1_000;
const WARN_EVERY_MS = 60_000;

/**
 * Keeps the newest committed lines of each task in the Redis list `tasks:{task_id}:logs`:
 *
 *   a task changed ─▶ where its list ends (a key beside it) ─▶ lines after that, a page at a time ─▶ one atomic write each
 *                                                              └ so many a second: intake needs the cores more
 *
 * The place of a list moves in the write that appends to it, and a write that does not find the place that it goes on from does
 * nothing: so a batch that is sent again, after a crash or by the client when its connection broke, doubles nothing. A list
 * without its place, or a place without its list, is written anew.
 */
export class RedisMirror {
  readonly #options: RedisMirrorOptions;
  readonly #clock: Clock;
  readonly #follower: ChangeFollower;
  readonly #slots = new Slots(UNDER_WAY);
  readonly #stats = { lines: 0, batches: 0, failures: 0 };
  /** Tasks that were written last, the newest behind. */
  readonly #written = new Set<string>();
  /** When the next page may be read. */
  #nextMs = 0;
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RedisMirrorOptions) {
    const { store, live, intake, log, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    const look = (taskId: string, signal: AbortSignal): Promise<void> => this.#look(taskId, signal);
    this.#follower = new ChangeFollower({ store, live, intake, log, clock, name: 'redis_lists', lines: true, look });
  }

  start(): void {
    if (this.#options.max === 0) return;
    this.#follower.start();
    this.#options.redis.on('ready', this.#onReady);
  }

  stats(): MirrorStats {
    return { ...this.#stats };
  }

  /** Resolves when everything that was committed before the call is in its list. */
  settled(): Promise<void> {
    return this.#follower.settled();
  }

  /** Write what is committed, unless that takes too long, and stop. Safe to call twice. */
  close(): Promise<void> {
    this.#options.redis.off('ready', this.#onReady);
    return this.#follower.close();
  }

  /** A Redis that died may have lost what it had not on disk: of tasks that change no more nobody else would see it. */
  readonly #onReady = (): void => this.#follower.again(this.#written);

  #remember(taskId: string): void {
    this.#written.delete(taskId);
    this.#written.add(taskId);
    if (this.#written.size > REMEMBERED) this.#written.delete(this.#written.keys().next().value ?? '');
  }

  /** Until the list ends where the task does. An outage is waited out: the changes behind it wait in the store. */
  async #look(taskId: string, signal: AbortSignal): Promise<void> {
    let place: Place;
    for (let done = false; !done; ) {
      try {
        ({ place, done } = await this.#slots.run(() => this.#paced(() => this.#step(taskId, place), signal)));
      } catch (error) {
        if (signal.aborted) throw error;
        this.#warn(taskId, error);
        if (isOthers(error)) return;
        this.#stats.failures += 1;
        place = undefined;
        await delay(AGAIN_MS, undefined, { signal });
      }
    }
  }

  async #paced<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const waitMs = this.#nextMs - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
    return unlessAborted(work, signal);
  }

  /** One batch from a place on. Answers the place behind it. */
  async #step(taskId: string, known: Place): Promise<Step> {
    const { store, redis, max, ttlSeconds } = this.#options;
    // The place before the task: it cannot be ahead of a task that is read after it.
    const place = known === undefined ? await this.#placeOf(taskId) : known;
    try {
      const task = await store.task(taskId);
      const { lastSeq } = task.log;
      if (place === lastSeq || lastSeq === 0 || (place === null && (await this.#isPast(task)))) return DONE;
      // A place behind the end is of another database.
      const anew = place === null || place > lastSeq;
      const after = Math.max(anew ? 0 : place, lastSeq - max);
      const page = await store.read(taskId, { after, limit: BATCH_LINES });
      this.#nextMs = Math.max(this.#nextMs, performance.now()) + page.bytes.length / CHARS_PER_MS;
      const lines = linesOf(page);
      if (lines.length === 0) return DONE;
      const to = page.scannedTo;
      // Sent twice and done the first time, or Redis lost what it had not on disk yet: it tells where it is.
      if (!(await append(redis, taskId, { from: place, to, anew, lines, max, ttlSeconds }))) {
        return { place: undefined, done: false };
      }
      this.#stats.batches += 1;
      this.#stats.lines += lines.length;
      this.#remember(taskId);
      return { place: to, done: false };
    } catch (error) {
      if (!isGone(error)) throw error;
      await redis.del(listKey(taskId), placeKey(taskId));
      return DONE;
    }
  }

  async #placeOf(taskId: string): Promise<number | null> {
    const { redis } = this.#options;
    const [place, length] = await Promise.all([redis.get(placeKey(taskId)), redis.llen(listKey(taskId))]);
    return place === null || length === 0 ? null : Number(place);
  }

  /** Its list would have expired: it has, or nobody was there to write it. */
  async #isPast({ taskId, ended, completedAt }: Task): Promise<boolean> {
    if (!ended) return false;
    const { lastTimestamp } = await this.#options.store.stats(taskId);
    const newestMs = Math.max(Date.parse(completedAt ?? ''), Date.parse(lastTimestamp ?? completedAt ?? ''));
    return this.#clock.now() - newestMs > this.#options.ttlSeconds * 1000;
  }

  #warn(taskId: string, error: unknown): void {
    if (this.#clock.now() - this.#warnedMs < WARN_EVERY_MS) return;
    this.#warnedMs = this.#clock.now();
    const why = error instanceof Error ? error.message : String(error);
    const then = isOthers(error) ? `${listKey(taskId)} is left as it is` : 'it is tried again';
    this.#options.log.warn(`lines of ${taskId} could not be written to Redis: ${why}; ${then}`);
  }
}

function linesOf(page: EntryPage): string[] {
  const entries = JSON.parse(page.json) as readonly WireEntry[];
  return entries.map((entry) => {
    const line: ListedLine = { timestamp: entry.timestamp, message: markedMessage(entry) };
    return JSON.stringify(line);
  });
}

function isGone(error: unknown): boolean {
  return error instanceof TrailError && (error.code === 'task_deleted' || error.code === 'task_not_found');
}

/** What waits for Redis must not hold up a stop. */
async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
