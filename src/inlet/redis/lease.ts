import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';

/** Only who holds the lease may prolong it or let it go. */
const RENEW = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0`;
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/** The right to read a stream, which one process has at a time and loses when it is not heard of for `leaseMs`. */
export class Lease {
  readonly key: string;
  /** Tells this holder from all others. */
  readonly token: string;
  readonly #redis: Redis;
  readonly #leaseMs: number;

  constructor(redis: Redis, options: { readonly key: string; readonly consumer: string; readonly leaseMs: number }) {
    this.#redis = redis;
    this.key = options.key;
    this.token = `${options.consumer}:${randomUUID()}`;
    this.#leaseMs = options.leaseMs;
  }

  /** Answers whether it is ours now. */
  async take(): Promise<boolean> {
    if ((await this.#redis.set(this.key, this.token, 'PX', this.#leaseMs, 'NX')) === 'OK') return true;
    // An answer that a broken connection swallowed: it was ours already.
    return this.renew();
  }

  /** Answers whether it is still ours. */
  async renew(): Promise<boolean> {
    return (await this.#redis.eval(RENEW, 1, this.key, this.token, this.#leaseMs)) === 1;
  }

  async release(): Promise<void> {
    await this.#redis.eval(RELEASE, 1, this.key, this.token);
  }
}
