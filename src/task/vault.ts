import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { JsonObject } from '../core/entry.ts';
import type { Vault } from './distribution.ts';
import { within } from './within.ts';

export interface RedisVaultOptions {
  readonly redis: Redis;
  /** What its keys in Redis begin with. */
  readonly prefix: string;
  /** 32 bytes that lie in the data directory, and not in Redis. */
  readonly key: Buffer;
}

const KEPT_SECONDS = 30 * 24 * 60 * 60;
const ANSWER_MS = 2_000;
/** Who keeps them and who takes the task do so at once, over different connections. */
const TRIES = 5;
const AGAIN_MS = 400;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Parameters with secrets on their way to the process that runs the task: in Redis, sealed with AES-256-GCM. */
export class RedisVault implements Vault {
  readonly #options: RedisVaultOptions;

  constructor(options: RedisVaultOptions) {
    this.#options = options;
  }

  keep(mark: string, params: JsonObject): void {
    const { redis, key } = this.#options;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(params)), cipher.final()]);
    // Where Redis is away it is written when it comes back, before the task can be taken.
    redis.set(this.#place(mark), Buffer.concat([iv, cipher.getAuthTag(), sealed]), 'EX', KEPT_SECONDS).catch(() => {});
  }

  async find(mark: string): Promise<JsonObject | undefined> {
    const { redis } = this.#options;
    for (let tries = 1; ; tries += 1) {
      const found = await within(redis.getBuffer(this.#place(mark)), ANSWER_MS, 'Redis').catch(() => null);
      if (found) return this.#opened(found);
      if (tries === TRIES) return undefined;
      await setTimeout(AGAIN_MS);
    }
  }

  forget(mark: string): void {
    this.#options.redis.del(this.#place(mark)).catch(() => {});
  }

  #place(mark: string): string {
    return `${this.#options.prefix}:secret:${mark}`;
  }

  /** Undefined when it was sealed with another key. */
  #opened(found: Buffer): JsonObject | undefined {
    const end = IV_BYTES + TAG_BYTES;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#options.key, found.subarray(0, IV_BYTES));
      decipher.setAuthTag(found.subarray(IV_BYTES, end));
      return JSON.parse(`${decipher.update(found.subarray(end), undefined, 'utf8')}${decipher.final('utf8')}`);
    } catch {
      return undefined;
    }
  }
}
