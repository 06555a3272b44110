import {
  TASK_EVENTS_GROUP,
  TASK_EVENTS_STREAM,
  TASK_LOGS_REDIS_MAX,
  TASK_LOGS_REDIS_TTL_SECONDS,
} from '../core/limits.ts';
import { SERVER_ROLES, type ServerRole } from './roles.ts';
import type { Setting } from './setting.ts';
import { Expected, truth, whole } from './values.ts';

export interface RedisConfig {
  /** Undefined: nothing of Redis is loaded. */
  readonly redisUrl: string | undefined;
  readonly role: ServerRole;
  readonly taskEventsStream: string;
  readonly taskEventsGroup: string;
  readonly taskEventsTrim: boolean;
  readonly taskLogsRedisTtl: number;
  readonly taskLogsRedisMax: number;
}

/** Settings of Redis. */
export const REDIS_SETTINGS: { readonly [K in keyof RedisConfig]: Setting<RedisConfig[K]> } = {
  redisUrl: {
    name: 'REDIS_URL',
    parse: redisUrl,
    fallback: () => undefined,
    shownDefault: 'none',
    meaning:
      'Redis, as `redis://:PASSWORD@HOST:6379/0` or `rediss://…`; switches on events, the mirror of lines, and several servers.',
    secret: true,
  },
  role: {
    name: 'TASKTRAIL_ROLE',
    flag: '--role <role>',
    parse: role,
    fallback: () => 'all',
    shownDefault: 'all',
    meaning:
      'What a server does: `api` answers, `worker` runs tasks, `consumer` reads events, `all` does it all; any but `all` needs `REDIS_URL`.',
  },
  taskEventsStream: {
    name: 'TASK_EVENTS_STREAM',
    parse: name,
    fallback: () => TASK_EVENTS_STREAM,
    shownDefault: TASK_EVENTS_STREAM,
    meaning: 'The stream that events are read from.',
  },
  taskEventsGroup: {
    name: 'TASK_EVENTS_GROUP',
    parse: name,
    fallback: () => TASK_EVENTS_GROUP,
    shownDefault: TASK_EVENTS_GROUP,
    meaning: 'The group that reads it.',
  },
  taskEventsTrim: {
    name: 'TASK_EVENTS_TRIM',
    parse: truth,
    fallback: () => false,
    shownDefault: 'false',
    meaning: 'Whether events that every group has acknowledged are deleted from the stream: `true` or `false`.',
  },
  taskLogsRedisTtl: {
    name: 'TASK_LOGS_REDIS_TTL',
    parse: whole(1, 31_536_000),
    fallback: () => TASK_LOGS_REDIS_TTL_SECONDS,
    shownDefault: String(TASK_LOGS_REDIS_TTL_SECONDS),
    meaning: 'Seconds after its last line at which a list `tasks:{id}:logs` expires, 1–31536000.',
  },
  taskLogsRedisMax: {
    name: 'TASK_LOGS_REDIS_MAX',
    parse: whole(0, 10_000_000),
    fallback: () => TASK_LOGS_REDIS_MAX,
    shownDefault: String(TASK_LOGS_REDIS_MAX),
    meaning: 'Newest lines that such a list holds, 0–10000000; 0 writes no lists.',
  },
};

function redisUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^rediss?:$/.test(url.protocol) && url.hostname !== '') return text;
  throw new Expected('a URL that begins with redis:// or rediss:// and names a host');
}

function role(text: string): ServerRole {
  const found = SERVER_ROLES.find((known) => known === text);
  if (found) return found;
  throw new Expected(`one of ${SERVER_ROLES.join(', ')}`);
}

function name(text: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(text)) return text;
  throw new Expected('1–200 printable characters without spaces');
}
