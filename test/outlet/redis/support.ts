import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import type { EntryInput } from '../../../src/core/entry.ts';
import type { Clock } from '../../../src/core/time.ts';
import { RedisMirror } from '../../../src/outlet/redis/mirror.ts';
import type { LocalTrail } from '../../../src/trail/local.ts';
import { openTrail } from '../../../src/trail/open.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { scratch } from '../../support/scratch.ts';

export interface MirrorSettings {
  readonly max?: number;
  readonly ttlSeconds?: number;
  readonly clock?: Clock;
}

export interface ListLine {
  readonly timestamp: string;
  readonly message: string;
}

export interface Mirrored {
  readonly trail: LocalTrail;
  readonly there: TestRedis;
  readonly warnings: string[];
  /** A mirror, running; its connection is closed with the test. */
  mirror(settings?: MirrorSettings): Promise<RedisMirror>;
  append(taskId: string, ...lines: readonly (string | EntryInput)[]): Promise<unknown>;
  /** What the list of a task holds. */
  list(taskId: string): Promise<readonly ListLine[]>;
  messages(taskId: string): Promise<readonly string[]>;
}

/** A trail beside a real Redis, and mirrors between them. */
export async function mirrored(t: TestContext, options: { dataDir?: string } = {}): Promise<Mirrored> {
  const there = await startRedis(t);
  const trail = await openTrail({ dataDir: options.dataDir ?? (await scratch(t)) });
  t.after(() => trail.close());
  const warnings: string[] = [];
  const list = async (taskId: string): Promise<readonly ListLine[]> =>
    (await there.redis.lrange(`tasks:${taskId}:logs`, 0, -1)).map((line) => JSON.parse(line) as ListLine);
  return {
    trail,
    there,
    warnings,
    list,
    messages: async (taskId) => (await list(taskId)).map(({ message }) => message),
    append: (taskId, ...lines) =>
      trail.append(
        taskId,
        lines.map((line) => (typeof line === 'string' ? { message: line } : line)),
      ),
    async mirror({ max = 100_000, ttlSeconds = 3_600, clock } = {}) {
      const redis = new Redis(there.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
      redis.on('error', () => {});
      const mirror = new RedisMirror({
        ...trail.parts,
        redis,
        max,
        ttlSeconds,
        log: { warn: (message) => warnings.push(message) },
        ...(clock && { clock }),
      });
      t.after(async () => {
        await mirror.close();
        redis.disconnect();
      });
      mirror.start();
      // It follows from now on.
      if (max > 0) await mirror.settled();
      return mirror;
    },
  };
}

export function numbered(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `line ${first + index}`);
}
