import type { Redis, RedisOptions } from 'ioredis';
import { TrailError } from '../core/error.ts';

const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 2_000;
const WARN_EVERY_MS = 60_000;

/** Opens connections to one Redis. Whatever waits for an answer needs one of its own. */
export interface RedisConnections {
  /** A new connection, at once: it connects and comes back by itself, and what is asked meanwhile waits. */
  open(name: string): Redis;
  /** How the connections are doing, for `/health`. */
  state(): string;
  /** Let go of all of them. Safe to call twice. */
  close(): void;
}

/** Load the client, which is not installed with us, and say how it is reached. Throws `invalid_setting`. */
export async function redisConnections(url: string, warn: (message: string) => void): Promise<RedisConnections> {
  const { Redis: Client } = await loadClient();
  const all = new Set<Redis>();
  let warnedMs = Number.NEGATIVE_INFINITY;
  const onError = (error: Error): void => {
    if (performance.now() - warnedMs < WARN_EVERY_MS) return;
    warnedMs = performance.now();
    // Its message names host and port, and never the password.
    warn(`Redis cannot be reached: ${error.message}; it is tried again`);
  };
  return {
    open(name) {
      const redis = new Client(url, { ...OPTIONS, connectionName: `tasktrail-${name}` });
      redis.on('error', onError);
      all.add(redis);
      redis.once('end', () => all.delete(redis));
      return redis;
    },
    state: () => ([...all].every(({ status }) => status === 'ready') ? 'connected' : 'reconnecting'),
    close() {
      for (const redis of all) redis.disconnect();
      all.clear();
    },
  };
}

const OPTIONS: RedisOptions = {
  // What is asked waits for the connection to come back, instead of failing after some tries.
  maxRetriesPerRequest: null,
  enableReadyCheck: true,
  retryStrategy: (tries) => Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(tries - 1, 10), BACKOFF_MAX_MS),
};

async function loadClient() {
  try {
    return await import('ioredis');
  } catch (cause) {
    throw new TrailError('invalid_setting', 'REDIS_URL: expected the package ioredis; npm install ioredis', { cause });
  }
}
