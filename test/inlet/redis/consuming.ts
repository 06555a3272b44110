import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { systemClock } from '../../../src/core/time.ts';
import { EventConsumer, type EventConsumerOptions } from '../../../src/inlet/redis/consumer.ts';
import { StoreIntake } from '../../../src/intake/intake.ts';
import { SqliteStore } from '../../../src/store/sqlite/store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { scratch } from '../../support/scratch.ts';

export const STREAM = 'task_events';
export const GROUP = 'task-logger';
export const LEASE_KEY = `${STREAM}:${GROUP}:lease`;
/** Short, so that a test need not wait for the lease of who is dead. */
export const LEASE_MS = 400;

export interface Consuming {
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly dataDir: string;
  readonly store: SqliteStore;
  readonly intake: StoreIntake;
  /** What consumers said. */
  readonly said: string[];
  /** One more consumer, closed with the test. */
  consumer(options?: Partial<EventConsumerOptions>): EventConsumer;
  /** Resolves when the group has read and acknowledged everything. */
  drained(): Promise<void>;
}

/** A Redis, a store, and consumers between them; closed with the test. */
export async function consuming(t: TestContext): Promise<Consuming> {
  const server = await startRedis(t);
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  const intake = new StoreIntake(store);
  t.after(async () => {
    await intake.close();
    await store.close();
  });
  const said: string[] = [];
  let made = 0;
  function consumer(options: Partial<EventConsumerOptions> = {}): EventConsumer {
    const [read, command] = [connection(server), connection(server)];
    const log = { info: () => {}, warn: (message: string) => said.push(message) };
    const name = `consumer-${++made}`;
    const consumer = new EventConsumer({
      ...{ store, intake, redis: { read, command }, stream: STREAM, group: GROUP, consumer: name },
      ...{ trim: false, clock: systemClock, log, leaseMs: LEASE_MS, ...options },
    });
    t.after(async () => {
      await consumer.close();
      read.disconnect();
      command.disconnect();
    });
    consumer.start();
    return consumer;
  }
  const { redis } = server;
  return { server, redis, dataDir, store, intake, said, consumer, drained: () => until(() => isDrained(redis)) };
}

function connection(server: TestRedis): Redis {
  const redis = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on('error', () => {});
  return redis;
}

async function isDrained(redis: Redis): Promise<boolean> {
  if ((await redis.exists(STREAM)) === 0) return false;
  const groups = (await redis.xinfo('GROUPS', STREAM)) as unknown[][];
  const group = groups.find((flat) => flat.includes(GROUP));
  if (!group) return false;
  const fact = (name: string): unknown => group[group.indexOf(name) + 1];
  const stream = (await redis.xinfo('STREAM', STREAM)) as unknown[];
  const lastId = stream[stream.indexOf('last-generated-id') + 1];
  return fact('pending') === 0 && fact('last-delivered-id') === lastId;
}

export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Publishes numbered lines of tasks, and knows what must be stored in the end. */
export class Publisher {
  readonly #redis: Redis;
  readonly #sent = new Map<string, number>();
  #total = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** One line each, of so many tasks in turn. */
  async publish(count: number, tasks: number): Promise<void> {
    for (let done = 0; done < count; ) {
      const pipeline = this.#redis.pipeline();
      for (const end = Math.min(done + 1_000, count); done < end; done++) {
        const taskId = `task-${this.#total++ % tasks}`;
        const n = (this.#sent.get(taskId) ?? 0) + 1;
        this.#sent.set(taskId, n);
        pipeline.xadd(STREAM, '*', 'type', 'task:output', 'task_id', taskId, 'data', `{"content":"${n}"}`);
      }
      const replies = (await pipeline.exec()) ?? [];
      for (const [error] of replies) assert.ifError(error);
    }
  }

  /** Every line once, in the order in which it was published. */
  check(dataDir: string): void {
    const stored = linesOf(dataDir);
    assert.deepEqual([...stored.keys()].toSorted(), [...this.#sent.keys()].toSorted());
    for (const [taskId, count] of this.#sent) {
      const expected = Array.from({ length: count }, (_, index) => String(index + 1));
      assert.deepEqual(stored.get(taskId), expected, taskId);
    }
  }
}

/** Messages by task, in the order of `seq`. */
export function linesOf(dataDir: string): Map<string, string[]> {
  const db = new DatabaseSync(join(dataDir, 'tasktrail.db'), { readOnly: true });
  const lines = new Map<string, string[]>();
  for (const row of db.prepare('SELECT task_id, message FROM task_logs ORDER BY task_id, seq').iterate()) {
    const { task_id, message } = row as { task_id: string; message: string };
    const held = lines.get(task_id);
    if (held) held.push(message);
    else lines.set(task_id, [message]);
  }
  db.close();
  return lines;
}
