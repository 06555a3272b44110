import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { STREAMS } from '../core/entry.ts';
import { READ_ROWS } from '../core/limits.ts';
import type { UnendedLine } from '../core/live.ts';
import type { Intake, StoreReader, Wake } from '../core/ports.ts';
import type { Changes } from '../core/query.ts';
import { cutText } from '../core/text.ts';
import type { LiveHub } from './live.ts';
import { UNENDED_CHARS, UnendedLines } from './unended.ts';

export interface RedisWakesOptions {
  readonly live: Pick<LiveHub, 'wake' | 'commits' | 'show' | 'unended'>;
  readonly store: Pick<StoreReader, 'changes'>;
  readonly intake: Pick<Intake, 'setting' | 'setSetting'>;
  /** Two connections: one that listens can do nothing else. */
  readonly publisher: Redis;
  readonly subscriber: Redis;
}

type Told = Parameters<Wake>[0];

/** A random name of the store, so that two stores on one Redis are not mixed up. */
const STORE_ID = 'store_id';
/** Shortest time between two messages: what is committed meanwhile goes in one. */
const EVERY_MS = 5;
/** Most tasks of one message, and most that wait for Redis: beyond that they are found by looking. */
const TASKS = 1_000;
const WAITING = 10_000;
/** How often is looked for commits that no message told of. */
const LOOK_EVERY_MS = 5_000;
const CHANGES = 1_000;

/**
 * Wake-ups between the processes that have one store open, over a channel of Redis:
 *
 *   own commit ─▶ one message for some milliseconds' commits ─▶ channel ─▶ wake in the others, which read the store
 *
 * A message carries no stored lines, and a lost one does no harm: each process also looks at what the store says has changed, every few
 * seconds and whenever its connection was away. So this needs nothing of a store but its changes. Lines that are not ended, which no
 * store has, go along.
 */
export class RedisWakes {
  readonly #options: RedisWakesOptions;
  /** Tells our own messages. */
  readonly #own = randomUUID();
  readonly #waiting = new Map<string, Told>();
  readonly #unended = new UnendedLines(() => void this.#publish());
  readonly #stop = new AbortController();
  #channel: string | undefined;
  #revision: number | undefined;
  #publishing = false;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #running: Promise<void> | undefined;

  constructor(options: RedisWakesOptions) {
    this.#options = options;
  }

  /** Begin, in the background: until it has, others learn of commits as they would without Redis. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Tell no more, and hear no more. Safe to call twice. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#looking;
  }

  async #run(): Promise<void> {
    const { live, subscriber } = this.#options;
    const { signal } = this.#stop;
    const unlisten = live.commits((task) => this.#tell(task));
    const unhear = live.unended((line) => this.#unended.tell(line));
    subscriber.on('message', this.#onMessage).on('ready', this.#onReady);
    try {
      while (!signal.aborted) {
        await this.#round();
        await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
      }
    } finally {
      unlisten();
      unhear();
      this.#unended.close();
      subscriber.off('message', this.#onMessage).off('ready', this.#onReady);
    }
  }

  async #round(): Promise<void> {
    try {
      // Of several processes that name a new store at once the last one is right: it is asked each time.
      this.#join(`tasktrail:${await this.#storeId()}:wake`);
      this.#revision ??= await this.#head();
      this.#look();
    } catch {
      // A store that cannot be read now is asked again in the next round, and its readers say so themselves.
    }
  }

  async #storeId(): Promise<string> {
    const { intake } = this.#options;
    const known = await intake.setting(STORE_ID);
    if (typeof known === 'string') return known;
    await intake.setSetting(STORE_ID, randomUUID());
    return String(await intake.setting(STORE_ID));
  }

  async #head(): Promise<number> {
    for (let revision = 0; ; ) {
      const changes = await this.#options.store.changes(revision, READ_ROWS);
      revision = changes.revision;
      if (changes.tasks.length < READ_ROWS) return revision;
      this.#stop.signal.throwIfAborted();
    }
  }

  #join(channel: string): void {
    if (channel === this.#channel || this.#stop.signal.aborted) return;
    if (this.#channel !== undefined) this.#options.subscriber.unsubscribe(this.#channel).catch(() => {});
    this.#channel = channel;
    this.#onReady();
    void this.#publish();
  }

  /** The connection stands, for the first time or again: what was told meanwhile was not heard. */
  readonly #onReady = (): void => {
    if (this.#channel === undefined || this.#options.subscriber.status !== 'ready') return;
    // The answer comes after that to the client's own subscription: from here on nothing is missed.
    this.#options.subscriber.subscribe(this.#channel).then(
      () => this.#look(),
      () => {},
    );
  };

  readonly #onMessage = (channel: string, text: string): void => {
    if (channel !== this.#channel) return;
    const message = parseMessage(text);
    if (message === undefined || message.by === this.#own) return;
    for (const task of message.tasks) this.#options.live.wake({ ...task, foreign: true });
    // After the tasks: a line that has ended is there before it is taken back.
    for (const line of message.partials) this.#options.live.show(line);
  };

  #tell(task: Told): void {
    const { taskId, lastSeq, linesOnly = false } = task;
    const waiting = this.#waiting.get(taskId);
    if (!waiting && this.#waiting.size >= WAITING) return;
    this.#waiting.set(taskId, { taskId, lastSeq, linesOnly: linesOnly && (waiting?.linesOnly ?? true) });
    void this.#publish();
  }

  /** One message at a time: while Redis is away what is committed waits here, each task once. */
  async #publish(): Promise<void> {
    if (this.#publishing || this.#channel === undefined) return;
    this.#publishing = true;
    const { publisher } = this.#options;
    const { signal } = this.#stop;
    while (this.#waiting.size + this.#unended.size > 0 && !signal.aborted) {
      const tasks = Array.from(this.#waiting.values().take(TASKS));
      for (const { taskId } of tasks) this.#waiting.delete(taskId);
      // A message that fails is a lost one.
      await publisher
        .publish(this.#channel, messageText({ by: this.#own, tasks, partials: this.#unended.take() }))
        .catch(() => {});
      await delay(EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
    }
    this.#publishing = false;
  }

  /** Wake for what has changed since the last look; one look at a time. */
  #look(): void {
    this.#lookAgain = true;
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookOnce(): Promise<void> {
    const { store, live } = this.#options;
    while (this.#lookAgain && this.#revision !== undefined) {
      this.#lookAgain = false;
      try {
        for (let full = true; full && !this.#stop.signal.aborted; ) {
          const { tasks, revision }: Changes = await store.changes(this.#revision, CHANGES);
          this.#revision = revision;
          for (const task of tasks) live.wake({ ...task, foreign: true });
          full = tasks.length === CHANGES;
        }
      } catch {
        // The next look begins where this one ended.
      }
    }
  }
}

interface Message {
  readonly by: string;
  readonly tasks: readonly Told[];
  readonly partials: readonly UnendedLine[];
}

function messageText({ by, tasks, partials }: Message): string {
  const told = tasks.map(({ taskId, lastSeq, linesOnly }) => ({
    task_id: taskId,
    last_seq: lastSeq,
    lines_only: linesOnly,
  }));
  const shown = partials.map(({ taskId, stream, text }) => ({ task_id: taskId, stream, text }));
  return JSON.stringify({ by, tasks: told, ...(shown.length > 0 && { partials: shown }) });
}

/** Anybody may publish: what is no message of ours is none. */
function parseMessage(text: string): Message | undefined {
  try {
    const { by, tasks, partials = [] } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof by !== 'string' || !Array.isArray(tasks) || !Array.isArray(partials)) return undefined;
    return { by, tasks: tasks.slice(0, TASKS).flatMap(toldOf), partials: partials.slice(0, TASKS).flatMap(shownOf) };
  } catch {
    return undefined;
  }
}

function toldOf(value: unknown): readonly Told[] {
  const { task_id: taskId, last_seq: lastSeq, lines_only } = (value ?? {}) as Record<string, unknown>;
  if (typeof taskId !== 'string' || typeof lastSeq !== 'number') return [];
  return [{ taskId, lastSeq, linesOnly: lines_only === true }];
}

function shownOf(value: unknown): readonly UnendedLine[] {
  const { task_id: taskId, stream: said, text } = (value ?? {}) as Record<string, unknown>;
  const stream = STREAMS.find((name) => name === said);
  if (typeof taskId !== 'string' || stream === undefined || typeof text !== 'string') return [];
  return [{ taskId, stream, text: cutText(text, UNENDED_CHARS) }];
}
