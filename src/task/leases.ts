import type { Redis } from 'ioredis';
import { isoTime, systemClock } from '../core/time.ts';
import type { Workers } from './distribution.ts';
import { lives } from './process-id.ts';
import { within } from './within.ts';

export interface LeasesOptions {
  readonly redis: Redis;
  /** What its keys in Redis begin with. */
  readonly prefix: string;
  /** This process, by `ownProcessId`. */
  readonly id: string;
}

/** A lease outlives two renewals that are late. */
const LEASE_MS = 10_000;
const RENEW_EVERY_MS = 3_000;
/** One that is missing may just be coming back with Redis: all get this long to renew. */
const MISSING_MS = 6_000;
const ANSWER_MS = 2_000;

/**
 * Processes that run tasks, each with a lease in Redis. One on the same machine is asked of the machine, which always knows; of others
 * only the lease tells. While Redis cannot be asked, nobody far away is thought to be gone.
 */
export class Leases implements Workers {
  readonly id: string;
  readonly #redis: Redis;
  readonly #prefix: string;
  /** Since when a lease has been missing. */
  readonly #missing = new Map<string, number>();
  #renewing: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ redis, prefix, id }: LeasesOptions) {
    this.id = id;
    this.#redis = redis;
    this.#prefix = prefix;
  }

  start(): void {
    if (this.#renewing || this.#closed) return;
    const renew = (): void => void this.#renew().catch(() => {});
    this.#renewing = setInterval(renew, RENEW_EVERY_MS).unref();
    this.#redis.on('ready', renew);
    renew();
  }

  async gone(): Promise<readonly string[]> {
    const known = await this.#ask(this.#redis.hkeys(this.#all));
    const gone: string[] = [];
    for (const worker of known) if (!(await this.isAlive(worker))) gone.push(worker);
    return gone;
  }

  async isAlive(worker: string): Promise<boolean> {
    if (worker === this.id) return true;
    const seen = await lives(worker);
    if (seen !== undefined) return seen;
    try {
      if ((await this.#ask(this.#redis.exists(this.#lease(worker)))) === 1) {
        this.#missing.delete(worker);
        return true;
      }
    } catch (error) {
      this.#missing.clear();
      throw error;
    }
    const since = this.#missing.get(worker) ?? performance.now();
    this.#missing.set(worker, since);
    return performance.now() - since < MISSING_MS;
  }

  async forget(worker: string): Promise<void> {
    this.#missing.delete(worker);
    await this.#ask(this.#redis.multi().hdel(this.#all, worker).del(this.#lease(worker)).exec());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#renewing) return;
    clearInterval(this.#renewing);
    // Where Redis is away the owner sees that the process is.
    await this.forget(this.id).catch(() => {});
  }

  get #all(): string {
    return `${this.#prefix}:workers`;
  }

  #lease(worker: string): string {
    return `${this.#prefix}:worker:${worker}`;
  }

  /** Both, each time: a Redis that lost everything knows us again. */
  async #renew(): Promise<void> {
    if (this.#closed || this.#redis.status !== 'ready') return;
    const now = isoTime(systemClock.now());
    await this.#redis.multi().hset(this.#all, this.id, now).set(this.#lease(this.id), now, 'PX', LEASE_MS).exec();
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    return within(answer, ANSWER_MS, 'Redis');
  }
}
