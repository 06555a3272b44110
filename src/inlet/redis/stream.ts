import type { Redis } from 'ioredis';
import { DEAD_LETTERS } from '../../core/limits.ts';
import type { Lease } from './lease.ts';
import { BURY, CHECK, FIGURES, TIDY, TRIM } from './scripts.ts';

export interface StreamEntry {
  readonly id: string;
  /** Name, value, name, value … */
  readonly fields: readonly string[];
}

export interface StreamOptions {
  /** Reads, and waits for what is new: a connection of its own. */
  readonly read: Redis;
  readonly command: Redis;
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
}

export interface Figures {
  readonly pending: number;
  /** How many entries the group has not been given yet; null when Redis cannot tell. */
  readonly lag: number | null;
}

export interface GroupFacts extends Figures {
  readonly lastDelivered: string;
}

export interface StreamFacts {
  /** The greatest id that it ever gave out. */
  readonly lastId: string;
  /** How many of its entries are deleted. */
  readonly deleted: number;
}

/** Why nothing was read: the lease is not ours, there is no group, or it stands elsewhere. */
export type NotRead = 'lost' | 'vanished' | 'moved';

export type Reading =
  | { readonly kind: NotRead }
  | {
      readonly kind: 'read';
      readonly entries: readonly StreamEntry[];
      /** How many were deleted before the group came to them. */
      readonly deleted: number;
      readonly figures: Figures;
    };

export interface Claimed {
  readonly entries: readonly StreamEntry[];
  /** Ids whose entries are not in the stream any more; they are pending no longer. */
  readonly gone: readonly string[];
  /** Where to go on; null at the end. */
  readonly next: string | null;
}

export const FIRST_ID = '0-0';
/** Most fields of an entry that are kept: what Lua can pass on at once, and some room. */
export const FIELDS_MAX = 7_000;
/** How many of the newest dead ones are looked through for one that may be among them. */
const DEAD_LOOK = 100;

/** The stream and its group as Redis has them. */
export class EventStream {
  readonly dead: string;
  readonly #options: StreamOptions;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.dead = deadStream(options.stream);
  }

  /** Undefined when the stream is not there. */
  async facts(): Promise<StreamFacts | undefined> {
    const { command, stream } = this.#options;
    const flat = await command.call('XINFO', 'STREAM', stream).catch(unlessMissing);
    if (flat === undefined) return undefined;
    const info = named(flat);
    return { lastId: String(info['last-generated-id']), deleted: Number(info['entries-added']) - Number(info.length) };
  }

  /** Undefined when the stream or its group is not there. */
  async group(): Promise<GroupFacts | undefined> {
    const { command, stream, group } = this.#options;
    const groups = await command.call('XINFO', 'GROUPS', stream).catch(unlessMissing);
    const found = ((groups ?? []) as unknown[]).map(named).find(({ name }) => name === group);
    if (!found) return undefined;
    return { lastDelivered: String(found['last-delivered-id']), ...figuresOf(found) };
  }

  /** Make the group, and the stream with it; both may be there. It passed as many as `deleted` entries before its first one. */
  async make(deleted: number): Promise<void> {
    const { command, stream, group } = this.#options;
    const options = ['MKSTREAM', 'ENTRIESREAD', deleted];
    await command.call('XGROUP', 'CREATE', stream, group, '0', ...options).catch((error: Error) => {
      if (!error.message.includes('BUSYGROUP')) throw error;
    });
  }

  /** Entries that were given to anybody and not acknowledged, in order. */
  async claim(from: string, count: number): Promise<Claimed> {
    const { command, stream, group, consumer } = this.#options;
    const reply = await command.xautoclaim(stream, group, consumer, 0, from, 'COUNT', count);
    const [next, entries, gone = []] = reply as [string, unknown[], string[]?];
    return { entries: entries.map(entryOf), gone, next: next === FIRST_ID ? null : next };
  }

  /**
   * New entries, as long as the lease is ours and nothing was given out behind `lastDelivered`. Where that is not so, entries may be
   * given to us all the same: they are pending then like those of an answer that never came, and who reads next takes them first.
   */
  async read(lease: Lease, lastDelivered: string, count: number): Promise<Reading> {
    const { read, stream, group, consumer } = this.#options;
    const [checked, taken, has] =
      (await read
        .multi()
        .eval(CHECK, 2, lease.key, stream, lease.token, group, lastDelivered)
        .xreadgroup('GROUP', group, consumer, 'COUNT', count, 'STREAMS', stream, '>')
        .eval(FIGURES, 1, stream, group, lastDelivered)
        .exec()) ?? [];
    const [kind, deleted] = reply(checked) as [Reading['kind'], number?];
    if (kind !== 'read') return { kind };
    const [[, entries] = []] = (reply(taken) ?? []) as [string, unknown[]][];
    const [pending = 0, lag] = reply(has) as number[];
    const figures = figuresOf({ pending, lag });
    return { kind, entries: (entries ?? []).map(entryOf), deleted: deleted ?? 0, figures };
  }

  /** Resolves when there may be something behind an id, or after `ms`. Takes nothing: it may be left alone. */
  async wait(lastDelivered: string, ms: number): Promise<void> {
    const { read, stream } = this.#options;
    await read.xread('COUNT', 1, 'BLOCK', ms, 'STREAMS', stream, lastDelivered);
  }

  async acknowledge(ids: readonly string[]): Promise<void> {
    const { command, stream, group } = this.#options;
    if (ids.length > 0) await command.xack(stream, group, ...ids);
  }

  /** Move an entry to the dead ones, with the reason, and acknowledge it. With `mayBeDead` it is looked for there first. */
  async bury(id: string, reason: string, mayBeDead: boolean): Promise<void> {
    const { command, stream, group } = this.#options;
    const args = [group, id, reason, DEAD_LETTERS, FIELDS_MAX, mayBeDead ? DEAD_LOOK : 0];
    await command.eval(BURY, 2, stream, this.dead, ...args);
  }

  /** Delete what every group has acknowledged. */
  async trim(): Promise<void> {
    await this.#options.command.eval(TRIM, 1, this.#options.stream);
  }

  /** Forget consumers that are done, as long as the lease is ours. */
  async tidy(lease: Lease): Promise<void> {
    const { command, stream, group, consumer } = this.#options;
    await command.eval(TIDY, 2, lease.key, stream, lease.token, group, consumer);
  }

  async deadCount(): Promise<number> {
    return this.#options.command.xlen(this.dead);
  }
}

/** Where entries go that nobody can apply. */
export function deadStream(stream: string): string {
  return `${stream}:dead`;
}

/** Whether an id comes after another; both have two numbers of 64 bits. */
export function isAfter(id: string, other: string): boolean {
  const [ms = '', n = ''] = id.split('-');
  const [otherMs = '', otherN = ''] = other.split('-');
  return ms === otherMs ? isGreater(n, otherN) : isGreater(ms, otherMs);
}

/** Redis writes numbers without leading zeros. */
function isGreater(digits: string, other: string): boolean {
  return digits.length === other.length ? digits > other : digits.length > other.length;
}

/** The stream or group is not there (any more). */
export function isVanished(error: unknown): boolean {
  return error instanceof Error && /NOGROUP|no such key/i.test(error.message);
}

function unlessMissing(error: unknown): undefined {
  if (!isVanished(error)) throw error;
}

function named(flat: unknown): Readonly<Record<string, unknown>> {
  const list = flat as unknown[];
  return Object.fromEntries(list.flatMap((name, at) => (at % 2 === 0 ? [[String(name), list[at + 1]]] : [])));
}

/** What one command of a transaction answered. Throws what it failed with. */
function reply(result: [Error | null, unknown] | undefined): unknown {
  const [error, value] = result ?? [new Error('Redis gave no answer to a read of the stream')];
  if (error) throw error;
  return value;
}

function figuresOf({ pending, lag }: Readonly<Record<string, unknown>>): Figures {
  return { pending: Number(pending), lag: typeof lag === 'number' ? lag : null };
}

function entryOf(reply: unknown): StreamEntry {
  const [id, fields] = reply as [string, string[]];
  return { id, fields };
}
