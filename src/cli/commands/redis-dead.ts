import type { Redis } from 'ioredis';
import { TrailError } from '../../core/error.ts';
import { DEAD_LETTERS } from '../../core/limits.ts';
import { type DeadEvent, deadEvents, deadIds, missingDead, replayDead } from '../../inlet/redis/dead.ts';
import { redisConnections } from '../redis.ts';
import type { Config } from '../settings.ts';
import { jsonText, safeText, type Terminal } from '../terminal.ts';

export interface DeadListOptions {
  readonly limit?: string;
  readonly json?: boolean;
}

export interface DeadReplayOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

const CONNECT_MS = 5_000;

export async function list(
  terminal: Terminal,
  config: Config,
  { limit = '50', json }: DeadListOptions,
): Promise<number> {
  const count = Number(limit);
  if (!/^\d+$/.test(limit) || count < 1 || count > DEAD_LETTERS) {
    throw new TrailError('invalid_usage', `--limit: expected a whole number, 1–${DEAD_LETTERS}, got ${limit}`);
  }
  const dead = await withRedis(config, (redis) => deadEvents(redis, config.taskEventsStream, count));
  for (const event of dead) await terminal.print(`${json ? jsonLine(event) : textLine(event)}\n`);
  if (dead.length === 0) terminal.tell(`no event of ${config.taskEventsStream} is dead`);
  else if (dead.length === count) terminal.tell(`${count} events; there may be newer ones, --limit shows more`);
  return 0;
}

export async function replay(
  terminal: Terminal,
  config: Config,
  ids: readonly string[],
  { all = false, dryRun = false }: DeadReplayOptions,
): Promise<number> {
  if (all === ids.length > 0) throw new TrailError('invalid_usage', 'expected either ids or --all');
  const odd = ids.find((id) => !/^\d{1,20}-\d{1,20}$/.test(id));
  if (odd !== undefined) {
    throw new TrailError('invalid_usage', `expected ids like 1769248800000-0, got ${JSON.stringify(odd)}`);
  }
  const stream = config.taskEventsStream;
  return withRedis(config, async (redis) => {
    const wanted = all ? await deadIds(redis, stream) : ids;
    const missing = new Set(all ? [] : await missingDead(redis, stream, wanted));
    let moved = 0;
    for (const id of wanted) {
      const made = missing.has(id) ? null : dryRun ? 'would be moved' : await replayDead(redis, stream, id);
      if (made === null) terminal.tell(`${id} is not among the dead events of ${stream}`);
      else {
        moved++;
        await terminal.print(dryRun ? `${id} ${made}\n` : `${id} is ${made} of ${stream} now\n`);
      }
    }
    if (wanted.length === 0) terminal.tell(`no event of ${stream} is dead`);
    return moved === wanted.length ? 0 : 1;
  });
}

async function withRedis<T>({ redisUrl }: Config, work: (redis: Redis) => Promise<T>): Promise<T> {
  if (redisUrl === undefined)
    throw new TrailError('invalid_setting', 'REDIS_URL: expected the address of Redis, got none');
  let why = '';
  const connections = await redisConnections(redisUrl, (message) => {
    why = message;
  });
  try {
    const redis = connections.open('cli');
    await ready(redis, () => new TrailError('server_unreachable', why || 'Redis does not answer'));
    return await work(redis);
  } finally {
    connections.close();
  }
}

/** A server waits for Redis; somebody at a terminal does not. */
async function ready(redis: Redis, late: () => TrailError): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  redis.once('ready', resolve);
  const timer = setTimeout(() => reject(late()), CONNECT_MS);
  await promise.finally(() => clearTimeout(timer));
}

function jsonLine({ id, eventId, reason, fields }: DeadEvent): string {
  return jsonText({ id, event_id: eventId, reason, fields });
}

function textLine({ id, reason, fields }: DeadEvent): string {
  const type = fields.type ?? fields.event_type ?? '';
  const about = fields.task_id ?? fields.webhook_event_id ?? '';
  const words = [id, type, about, reason].filter((word) => word !== '').join('  ');
  return safeText(words.replace(/\s*\n\s*/g, ' '), { colour: false });
}
