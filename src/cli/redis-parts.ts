/* Imported only where there is a Redis. */
import { TrailError } from '../core/error.ts';
import { systemClock } from '../core/time.ts';
import { EventConsumer } from '../inlet/redis/consumer.ts';
import { EventStream } from '../inlet/redis/stream.ts';
import { RedisWakes } from '../live/redis.ts';
import { RedisMirror } from '../outlet/redis/mirror.ts';
import type { EventFigures } from '../server/parts.ts';
import type { SharedDistribution, SharedWork } from '../task/distribution.ts';
import { Leases } from '../task/leases.ts';
import { ownProcessId } from '../task/process-id.ts';
import { RedisVault } from '../task/vault.ts';
import { within } from '../task/within.ts';
import type { TrailParts } from '../trail/local.ts';
import { sharedKey } from '../trail/shared-key.ts';
import { type RedisConnections, redisConnections } from './redis.ts';
import { workOf } from './roles.ts';
import type { Config } from './settings.ts';

export interface RedisSurroundings {
  readonly parts: TrailParts;
  readonly log: { info(message: string): void; warn(message: string): void };
}

const ANSWER_MS = 500;

/** What a server does over Redis: it shares its work with others, wakes them, and takes in events. */
export class RedisParts {
  /** The part of the task manager. */
  readonly work: SharedWork;
  readonly #config: Config;
  readonly #surroundings: RedisSurroundings;
  readonly #connections: RedisConnections;
  readonly #wakes: RedisWakes;
  readonly #consumer: EventConsumer | undefined;
  readonly #events: EventStream;

  private constructor(config: Config, surroundings: RedisSurroundings, made: Made) {
    const { parts } = surroundings;
    const { connections, work } = made;
    const publisher = connections.open('tell');
    this.work = work;
    this.#config = config;
    this.#surroundings = surroundings;
    this.#connections = connections;
    this.#wakes = new RedisWakes({ ...parts, publisher, subscriber: connections.open('hear') });
    const { taskEventsStream: stream, taskEventsGroup: group, taskEventsTrim: trim } = config;
    const consumer = work.workers.id;
    this.#events = new EventStream({ read: publisher, command: publisher, stream, group, consumer });
    if (!workOf(config).readsEvents) return;
    const redis = { read: connections.open('events'), command: connections.open('events-acknowledge') };
    const { log } = surroundings;
    this.#consumer = new EventConsumer({ ...parts, redis, stream, group, consumer, trim, clock: systemClock, log });
  }

  /** Throws `invalid_setting` when a package is missing. Redis itself may be away. */
  static async open(config: Config & { readonly redisUrl: string }, surroundings: RedisSurroundings) {
    const { log, parts } = surroundings;
    const { BullDistribution } = await loadBull();
    const connections = await redisConnections(config.redisUrl, (message) => log.warn(message));
    const { id, key } = await sharedKey(config.dataDir);
    // In braces: in a cluster all lies on one node.
    const prefix = `{tasktrail-${id}}`;
    const redis = connections.open('workers');
    const open = connections.open;
    const work: SharedWork = {
      workers: new Leases({ redis, prefix, id: await ownProcessId() }),
      vault: new RedisVault({ redis, prefix, key }),
      runs: workOf(config).runsTasks,
      distribution: (name): SharedDistribution => new BullDistribution({ name, prefix, open, store: parts.store }),
    };
    return new RedisParts(config, surroundings, { connections, work });
  }

  start(): void {
    this.#wakes.start();
    this.#consumer?.start();
  }

  /** The owner's: what is written to Redis for each task. Begins at once. */
  mirror(): RedisMirror {
    const { parts, log } = this.#surroundings;
    const { taskLogsRedisTtl: ttlSeconds, taskLogsRedisMax: max } = this.#config;
    const mirror = new RedisMirror({ ...parts, log, redis: this.#connections.open('mirror'), ttlSeconds, max });
    mirror.start();
    return mirror;
  }

  state(): string {
    return this.#connections.state();
  }

  /** As Redis has them now, whoever reads the events; null while it does not answer. */
  async figures(): Promise<EventFigures> {
    const here = this.#consumer?.stats();
    const counted = { processed: here?.processed ?? null, lost: here?.lost ?? null };
    try {
      if (this.state() !== 'connected') throw new Error('not connected');
      const asked = Promise.all([this.#events.group(), this.#events.deadCount()]);
      const [group, dead] = await within(asked, ANSWER_MS, 'Redis');
      return { ...counted, dead, pending: group?.pending ?? 0, lag: group ? group.lag : 0 };
    } catch {
      return { ...counted, dead: null, pending: null, lag: null };
    }
  }

  /** Take in no more events. Safe to call twice. */
  async stop(): Promise<void> {
    await this.#consumer?.close();
  }

  /** Let go of Redis, after all who use it. Safe to call twice. */
  async close(): Promise<void> {
    await this.stop();
    await this.#wakes.close();
    this.#connections.close();
  }
}

interface Made {
  readonly connections: RedisConnections;
  readonly work: SharedWork;
}

async function loadBull() {
  try {
    return await import('../task/bull.ts');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new TrailError('invalid_setting', 'REDIS_URL: expected the package bullmq; npm install bullmq ioredis', {
      cause,
    });
  }
}
