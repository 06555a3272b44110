import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { asTrailError } from '../../core/error.ts';
import { EVENTS_LEASE_MS, RETRY_FIRST_MS, RETRY_MAX_MS } from '../../core/limits.ts';
import type { Intake, StoreReader } from '../../core/ports.ts';
import type { Clock } from '../../core/time.ts';
import { Applier } from './applier.ts';
import { Lease } from './lease.ts';
import { Pace } from './pace.ts';
import type { Plan } from './plan.ts';
import { EventStream, FIRST_ID, type Figures, isAfter, isVanished, type NotRead } from './stream.ts';

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
  readonly #pace = new Pace();
  readonly #applier: Applier;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #tending = false;
  #isLeader = false;
  #lastDelivered = FIRST_ID;
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
    const work = { intake, events: this.#events, stream, pace: this.#pace };
    this.#applier = new Applier({ ...work, clock, log, signal: this.#stop.signal });
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
    const refused = isOther ? [] : await store.eventRefusals(stream);
    this.#applier.begin(isOther ? (group && facts ? facts.lastId : null) : place, refused);
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
      const { entries, gone, next } = await this.#events.claim(from, this.#pace.read(0));
      const { place } = this.#applier;
      this.#lose(gone.filter((id) => place === null || isAfter(id, place)).length);
      const plan = this.#applier.plan();
      plan.add(entries);
      this.#pace.measure(entries.length, plan.chars);
      await this.#applier.apply(plan);
      from = next;
    }
    await this.#events.tidy(this.#lease);
  }

  /** Read on while what was read before is committed: two commits at most are under way. Answers why it ended; undefined at a stop. */
  async #follow(): Promise<NotRead | undefined> {
    const over = new AbortController();
    let applying: Promise<void> = Promise.resolve();
    let reading = this.#next(over.signal);
    try {
      for (;;) {
        // A commit that fails is heard of at once, also when nothing new comes.
        const plan = await Promise.race([reading, applying.then(() => reading)]);
        if (typeof plan !== 'object') {
          await applying;
          return plan;
        }
        const before = applying;
        applying = this.#applier.apply(plan).then(() => {
          this.#failed = 0;
        });
        applying.catch(ignore);
        reading = this.#next(over.signal);
        reading.catch(ignore);
        await before;
      }
    } finally {
      // What it reads was given to us already, and is found among what is pending.
      over.abort();
      await Promise.all([reading.catch(ignore), applying.catch(ignore)]);
    }
  }

  /** New entries as soon as there are some, of a backlog as many as one commit is to have; or why there are none. Undefined at a stop. */
  async #next(over: AbortSignal): Promise<Plan | NotRead | undefined> {
    const plan = this.#applier.plan();
    while (!this.#stopped && !over.aborted) {
      const asked = this.#pace.read(plan.ids.length);
      const reading = await this.#events.read(this.#lease, this.#lastDelivered, asked);
      // What was read before goes first: of a stream that is gone it is all that there is.
      if (reading.kind !== 'read') return plan.ids.length > 0 ? plan : reading.kind;
      const { entries, figures, deleted } = reading;
      this.#figures = figures;
      this.#lose(deleted);
      this.#lastDelivered = entries.at(-1)?.id ?? this.#lastDelivered;
      const before = plan.chars;
      plan.add(entries);
      this.#pace.measure(entries.length, plan.chars - before);
      if (plan.ids.length > 0 && (entries.length < asked || this.#pace.isFull(plan))) return plan;
      if (entries.length === 0) await this.#unlessStopped(this.#events.wait(this.#lastDelivered, WAIT_MS));
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
