import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../core/entry.ts';
import { READ_ROWS } from '../core/limits.ts';
import type { Live } from '../core/live.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import type { Changes } from '../core/query.ts';
import { type Clock, isoTime } from '../core/time.ts';

/** What a way out needs of a server. */
export interface OutletParts {
  readonly store: StoreReader;
  readonly live: Live;
  readonly intake: Pick<Intake, 'setting' | 'setSetting' | 'changeTask' | 'append'>;
  /** The base of links to the page. */
  readonly publicUrl?: string | undefined;
  readonly clock?: Clock;
  readonly log: { warn(message: string): void };
}

export interface FollowerOptions extends Pick<OutletParts, 'store' | 'live' | 'log'> {
  readonly intake: Pick<Intake, 'setting' | 'setSetting'>;
  readonly clock: Clock;
  /** The setting in which its place is kept. */
  readonly name: string;
  /** Whether tasks that only got lines wake it. */
  readonly lines: boolean;
  /** Looks at a task that changed. When it rejects it is tried again; after `signal` aborts, at the next start. */
  readonly look: (taskId: string, signal: AbortSignal) => Promise<void>;
  /** More to keep beside the place. */
  readonly kept?: {
    write(): JsonObject;
    read(saved: JsonObject): void;
    /** At the very first start: first this, then what is there already, the one that changed longest ago first. */
    begin?(since: string): Promise<void>;
    stood?(tasks: Changes['tasks']): void;
  };
}

interface Look {
  /** The place before the change that it is for. */
  readonly from: number;
  /** Changed again meanwhile. */
  again: boolean;
  done: Promise<void>;
}

const CHANGES = 500;
/** Tasks looked at side by side; beyond that the changes wait in the store. */
const UNDER_WAY = 64;
/** Shortest time between two rounds, so that a task that changes all the time is one look. */
const ROUND_MS = 100;
const SAVE_EVERY_MS = 1_000;
const TRIES = 4;
const AGAIN_MS = 1_000;
const WARN_EVERY_MS = 60_000;
/** What is under way at a stop has so long to end. */
const CLOSE_MS = 2_000;

/**
 * Looks at every task that changes, each at its newest, after a durable place among the changes:
 *
 *   wake-up ─▶ changes after the place ─▶ one look at a time for each task, some tasks side by side ─▶ the place moves on
 *
 * The place that is kept is the one before the oldest change that is still looked at: after a crash that look comes again, so none
 * is left out. On its very first start the place is now.
 */
export class ChangeFollower {
  readonly #options: FollowerOptions;
  readonly #stop = new AbortController();
  readonly #underWay = new Map<string, Look>();
  readonly #asked = new Set<string>();
  #revision = 0;
  /** When it was started for the very first time, ISO 8601. */
  #since = '';
  #saved = '';
  #savedMs = 0;
  #warnedMs = Number.NEGATIVE_INFINITY;
  #poke = (): void => {};
  #poked = false;
  #freed = (): void => {};
  #settling: (() => void)[] = [];
  #closing = false;
  #running: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  get since(): string {
    return this.#since;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Look at these too, although they have not changed. */
  again(taskIds: Iterable<string>): void {
    for (const taskId of taskIds) this.#asked.add(taskId);
    this.#wake();
  }

  /** Resolves when everything that was committed before the call has been looked at. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settling.push(resolve);
      this.#wake();
    });
  }

  /** Write the place, and what is kept beside it, now. */
  async keep(): Promise<void> {
    await this.#attempt(() => this.#save());
  }

  /** Let what is under way end, unless that takes too long, and stop. Safe to call twice. */
  async close(): Promise<void> {
    if (!this.#running) return;
    this.#closing = true;
    this.#wake();
    this.#freed();
    const timer = setTimeout(() => this.#stop.abort(), CLOSE_MS);
    await this.#running;
    await this.#idle();
    clearTimeout(timer);
    this.#stop.abort();
    await this.#attempt(() => this.#save());
  }

  async #run(): Promise<void> {
    const unwatch = this.#watch();
    try {
      while (!this.#closing && !(await this.#attempt(() => this.#begin()))) await this.#pause(AGAIN_MS);
      while (!this.#closing) {
        this.#poked = false;
        const settling = this.#settling.splice(0);
        await this.#attempt(() => this.#follow());
        if (settling.length > 0) void this.#idle().then(() => settling.map((resolve) => resolve()));
        if (performance.now() - this.#savedMs > SAVE_EVERY_MS) await this.#attempt(() => this.#save());
        await this.#pause(ROUND_MS);
        await this.#wait();
      }
    } finally {
      unwatch();
      for (const resolve of this.#settling.splice(0)) resolve();
    }
  }

  #watch(): () => void {
    const { live, lines } = this.#options;
    if (!lines) return live.watch(() => this.#wake());
    const until = new AbortController();
    const waking = async (): Promise<void> => {
      for await (const _ of live.changes(until.signal)) this.#wake();
    };
    void waking();
    return () => until.abort();
  }

  /** Go to the kept place. One that lies behind the end is of another database: then the place is now. */
  async #begin(): Promise<true> {
    const { store, intake, name, clock, kept } = this.#options;
    const saved = (await intake.setting(name)) as { revision?: unknown; since?: unknown } | null;
    const { revision, since } = saved ?? {};
    const known = typeof revision === 'number' && typeof since === 'string';
    if (known && (revision === 0 || (await store.changes(revision - 1, 1)).tasks.length > 0)) {
      this.#revision = revision;
      this.#since = since;
      kept?.read(saved as JsonObject);
    } else {
      this.#since = isoTime(clock.now());
      await kept?.begin?.(this.#since);
      this.#revision = await this.#head();
      // Before anything is looked at: after a crash in the first moments the place must not be the end once more.
      await this.#save();
    }
    return true;
  }

  async #head(): Promise<number> {
    const { store, kept } = this.#options;
    for (let after = 0; ; ) {
      const { tasks, revision } = await store.changes(after, READ_ROWS);
      kept?.stood?.(tasks);
      if (tasks.length < READ_ROWS || this.#closing) return revision;
      after = revision;
    }
  }

  async #follow(): Promise<void> {
    for (const taskId of this.#asked) {
      this.#asked.delete(taskId);
      if (!(await this.#lookAt(taskId))) return;
    }
    for (;;) {
      const { tasks, revision } = await this.#options.store.changes(this.#revision, CHANGES);
      for (const { taskId } of tasks) if (!(await this.#lookAt(taskId))) return;
      this.#revision = revision;
      if (tasks.length < CHANGES) return;
    }
  }

  /** Answers whether there is still time for another. */
  async #lookAt(taskId: string): Promise<boolean> {
    await this.#room(taskId);
    if (this.#closing) return false;
    this.#look(taskId);
    return true;
  }

  async #room(taskId: string): Promise<void> {
    while (this.#underWay.size >= UNDER_WAY && !this.#underWay.has(taskId) && !this.#closing) {
      await new Promise<void>((resolve) => {
        this.#freed = resolve;
      });
    }
  }

  #look(taskId: string): void {
    const held = this.#underWay.get(taskId);
    if (held) {
      held.again = true;
      return;
    }
    const look: Look = { from: this.#revision, again: true, done: Promise.resolve() };
    this.#underWay.set(taskId, look);
    look.done = this.#finish(taskId, look);
  }

  /** Look until nothing has changed since. What a stop interrupts stays under way: the kept place is before it. */
  async #finish(taskId: string, look: Look): Promise<void> {
    const { signal } = this.#stop;
    for (let failed = 0; look.again && failed < TRIES; ) {
      look.again = false;
      try {
        await this.#options.look(taskId, signal);
        failed = 0;
      } catch (error) {
        if (signal.aborted) return;
        failed += 1;
        look.again = true;
        this.#warn(error);
        await this.#pause(failed < TRIES ? AGAIN_MS : 0);
      }
    }
    this.#underWay.delete(taskId);
    this.#freed();
  }

  async #idle(): Promise<void> {
    await Promise.all(Array.from(this.#underWay.values(), ({ done }) => done));
  }

  async #save(): Promise<void> {
    const { intake, name, kept } = this.#options;
    if (this.#since === '') return;
    const froms = Array.from(this.#underWay.values(), ({ from }) => from);
    const place = { revision: Math.min(this.#revision, ...froms), since: this.#since, ...kept?.write() };
    const text = JSON.stringify(place);
    if (text === this.#saved) return;
    await intake.setSetting(name, place);
    this.#saved = text;
    this.#savedMs = performance.now();
  }

  /** Until something is committed; while there is something to save, no longer than that may wait. */
  async #wait(): Promise<void> {
    if (this.#poked || this.#closing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#poke = resolve;
    const timer = setTimeout(resolve, SAVE_EVERY_MS).unref();
    await promise;
    clearTimeout(timer);
  }

  #wake(): void {
    this.#poked = true;
    this.#poke();
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  #warn(error: unknown): void {
    const { name, log, clock } = this.#options;
    if (clock.now() - this.#warnedMs < WARN_EVERY_MS) return;
    this.#warnedMs = clock.now();
    log.warn(`${name}: ${error instanceof Error ? error.message : String(error)}; it is tried again`);
  }
}
