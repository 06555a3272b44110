import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { asTrailError } from '../../core/error.ts';
import { EVENT_STEPS, EVENTS_LEASE_MS, EVENTS_READ_CHARS, RETRY_FIRST_MS, RETRY_MAX_MS } from '../../core/limits.ts';
import type { Intake, StoreReader } from '../../core/ports.ts';
import type { Clock } from '../../core/time.ts';
import { Applier } from './applier.ts';
import { Lease } from './lease.ts';
import { EventStream, FIRST_ID, type Figures, isAfter, isVanished, type Reading, type StreamEntry } from './stream.ts';

export interface EventConsumerOptions {
  readonly store: Pick<StoreReader, 'eventPlace' | 'eventRefusals'>;
  readonly intake: Pick<Intake, 'applyEvents' | 'setEventPlace' | 'check'>;
  /** Two connections of its own: on `read` it waits for what is new. */
  readonly redis: { readonly read: Redis; readonly command: Redis };
  readonly stream: string;
  readonly group: string;
  /** Tells this process from all others. */
  readonly consumer: string;
  /** Whether what every group has acknowledged is deleted. */
  readonly trim: boolean;
  readonly clock: Clock;
  readonly log: { info(message: string): void; warn(message: string): void };
  /** How long it keeps the right to read when it is not heard of (default 10 s). */
  readonly leaseMs?: number;
}

/** Counted since the start of this process, but for `pending`, `lag` and `dead`, which are as Redis has them now. */
export interface EventStats {
  /** Whether this process is the one that reads; the others stand by. */
  readonly isLeader: boolean;
  readonly processed: number;
  /** Left out: no type, no task, or a task that was deleted. */
  readonly skipped: number;
  /** Entries that were deleted before they were read. */
  readonly lost: number;
  readonly reconnects: number;
  readonly pending: number;
  /** How many were not read yet; null when Redis cannot tell. */
  readonly lag: number | null;
  /** Entries of the dead stream. */
  readonly dead: number;
}

/** How long it waits for news at a time. */
const WAIT_MS = 500;
const STANDBY_MS = 1_000;
/** What is under way at a stop has so long to end, and the lease so long to be given back. */
const CLOSE_MS = 1_200;
const RELEASE_MS = 300;

/**
 * Stores the events of a stream, each once and in order:
 *
 *   stands by ──the lease is free──▶ begins ──▶ takes what is pending ──▶ reads what is new
 *       ▲                              ▲                                      │
 *       │                              └──── the group is gone, or was read ──┤
 *       └──────── the lease is lost, or the place was moved by another ───────┘
 *
 * The lease keeps others from reading in between, as each read asks for it in the same step at Redis. What is stored twice or out
 * of turn the store itself refuses: it moves the place with the events, and only from where this reader thinks that it is.
 */
export class EventConsumer {
  readonly #options: EventConsumerOptions;
  readonly #events: EventStream;
  readonly #lease: Lease;
  readonly #leaseMs: number;
  readonly #applier: Applier;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #tending = false;
  #isLeader = false;
  #lastDelivered = FIRST_ID;
  /** Entries of the next read. */
  #count = EVENT_STEPS;
  #failed = 0;
  #lost = 0;
  #reconnects = 0;
  #figures: Figures = { pending: 0, lag: null };
  #dead = 0;

  constructor(options: EventConsumerOptions) {
    const { redis, stream, group, consumer, intake, clock, log } = options;
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? EVENTS_LEASE_MS;
    this.#events = new EventStream({ ...redis, stream, group, consumer });
    this.#lease = new Lease(redis.command, { key: `${stream}:${group}:lease`, consumer, leaseMs: this.#leaseMs });
    this.#applier = new Applier({ intake, events: this.#events, stream, clock, log, signal: this.#stop.signal });
  }

  /** Begin to stand by, at once. */
  start(): void {
    if (this.#running || this.#stop.signal.aborted) return;
    this.#options.redis.read.on('reconnecting', this.#onReconnecting);
    this.#timer = setInterval(() => void this.#tend(), this.#leaseMs * 0.3).unref();
    this.#running = this.#run();
  }

  stats(): EventStats {
    const { processed, skipped } = this.#applier;
    const counts = { processed, skipped, lost: this.#lost, reconnects: this.#reconnects };
    const { pending, lag } = this.#figures;
    return { isLeader: this.#isLeader, ...counts, pending, lag, dead: this.#dead };
  }

  /** Let the batch under way be stored, unless that takes too long, and give the lease back. Safe to call twice. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    this.#options.redis.read.off('reconnecting', this.#onReconnecting);
    if (!this.#running) return;
    await within(this.#running, CLOSE_MS);
    if (this.#isLeader) await within(this.#lease.release().catch(ignore), RELEASE_MS);
    this.#isLeader = false;
  }

  readonly #onReconnecting = (): void => {
    this.#reconnects++;
  };

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#isLeader = this.#isLeader || (await this.#lease.take());
        if (this.#isLeader) await this.#lead();
        else await this.#pause(Math.min(STANDBY_MS, this.#leaseMs / 5));
      } catch (error) {
        if (!this.#stopped) await this.#recover(error);
      }
    }
  }

  async #lead(): Promise<void> {
    await this.#begin();
    await this.#catchUp();
    const ended = await this.#follow();
    if (ended === 'lost') this.#isLeader = false;
  }

  async #recover(error: unknown): Promise<void> {
    const fault = asTrailError(error);
    this.#failed++;
    if (fault.code === 'event_conflict') {
      this.#isLeader = false;
      await this.#lease.release().catch(ignore);
    } else if (!isVanished(error)) {
      this.#options.log.warn(`events: ${fault.message}; it is tried again`);
    }
    await this.#pause(Math.min(RETRY_FIRST_MS * 2 ** Math.min(this.#failed - 1, 10), RETRY_MAX_MS));
  }

  /** Find the place, and the group where it should be. */
  async #begin(): Promise<void> {
    const { store, intake, stream, log } = this.#options;
    const place = await store.eventPlace(stream);
    const [facts, group] = [await this.#events.facts(), await this.#events.group()];
    // A stream that is not what it was. With its group it came back from an older copy, and what it has was stored before it went
    // back; without, it was made anew, and nothing of it was.
    const isOther = place !== null && (!facts || isAfter(place, facts.lastId));
    this.#applier.refused = isOther ? [] : await store.eventRefusals(stream);
    this.#applier.place = isOther ? (group && facts ? facts.lastId : null) : place;
    if (isOther) {
      const what = group ? 'went back to an older state' : 'is not there or was made anew';
      log.warn(
        `the stream ${stream} ${what}: it was read to ${place}, and is read from ${this.#applier.place ?? 'its beginning'}`,
      );
      await intake.setEventPlace(stream, this.#applier.place);
    }
    if (!group) await this.#events.make(this.#applier.place === null ? 0 : (facts?.deleted ?? 0));
    const made = group ?? (await this.#events.group());
    this.#lastDelivered = made?.lastDelivered ?? FIRST_ID;
    if (made) this.#figures = made;
    log.info(`events of ${stream} are read from ${this.#applier.place ?? 'its beginning'}`);
  }

  /** What was delivered to anybody, and not acknowledged: all of it lies before what is new. */
  async #catchUp(): Promise<void> {
    for (let from: string | null = FIRST_ID; from !== null && !this.#stopped; ) {
      const { entries, gone, next } = await this.#events.claim(from, this.#count);
      const { place } = this.#applier;
      this.#lose(gone.filter((id) => place === null || isAfter(id, place)).length);
      this.#measure(entries);
      await this.#applier.apply(entries);
      from = next;
    }
    await this.#events.tidy(this.#lease);
  }

  /** Read on while the batch before is committed. Answers why it ended; undefined at a stop. */
  async #follow(): Promise<Reading['kind'] | undefined> {
    let reading = this.#next();
    try {
      for (;;) {
        const batch = await reading;
        if (batch?.kind !== 'read') return batch?.kind;
        reading = this.#next();
        await this.#applier.apply(batch.entries);
        this.#failed = 0;
      }
    } finally {
      // It was given to us already, and is found among what is pending.
      await reading.catch(ignore);
    }
  }

  /** The next entries, as soon as there are some; undefined at a stop. */
  async #next(): Promise<Reading | undefined> {
    while (!this.#stopped) {
      const reading = await this.#events.read(this.#lease, this.#lastDelivered, this.#count);
      if (reading.kind !== 'read') return reading;
      this.#figures = reading.figures;
      this.#lose(reading.deleted);
      this.#measure(reading.entries);
      this.#lastDelivered = reading.entries.at(-1)?.id ?? this.#lastDelivered;
      if (reading.entries.length > 0) return reading;
      await this.#unlessStopped(this.#events.wait(this.#lastDelivered, WAIT_MS));
    }
    return undefined;
  }

  /** Keep the lease, and look at what others did. */
  async #tend(): Promise<void> {
    if (this.#tending) return;
    this.#tending = true;
    try {
      if (this.#isLeader && (await this.#lease.renew()) && this.#options.trim) await this.#events.trim();
      this.#figures = (await this.#events.group()) ?? { pending: 0, lag: null };
      this.#dead = await this.#events.deadCount();
    } catch (error) {
      if (!this.#stopped) this.#options.log.warn(`events: ${asTrailError(error).message}`);
    } finally {
      this.#tending = false;
    }
  }

  #lose(count: number): void {
    if (count === 0) return;
    this.#lost += count;
    const { log, stream } = this.#options;
    log.warn(`${count} events were deleted from ${stream} before they were read, and are lost`);
  }

  /** How many entries may be read at once, when they are as large as these. */
  #measure(entries: readonly StreamEntry[]): void {
    if (entries.length === 0) return;
    const chars = entries.reduce((sum, { fields }) => sum + fields.reduce((all, text) => all + text.length, 0), 0);
    const fitting = Math.floor((EVENTS_READ_CHARS * entries.length) / Math.max(1, chars));
    this.#count = Math.min(Math.max(fitting, 1), EVENT_STEPS);
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(ignore);
  }

  /** Wait for something that may be left alone at a stop. */
  async #unlessStopped(work: Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => resolve();
    this.#stop.signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject);
    await promise.finally(() => this.#stop.signal.removeEventListener('abort', onAbort));
  }
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: over.signal }).catch(ignore)]);
  over.abort();
}

function ignore(): void {}
