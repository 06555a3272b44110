import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Level } from '../core/level.ts';
import {
  BUFFER_BYTES,
  COMPRESS_AFTER_DAYS,
  FLUSH_MS,
  RATE_REQUESTS,
  RETENTION_DAYS,
  STALE_AFTER_SECONDS,
  TASK_BUFFER_BYTES,
} from '../core/limits.ts';
import { AGENT_SETTINGS, type AgentConfig } from './agent-settings.ts';
import { REDIS_SETTINGS, type RedisConfig } from './redis-settings.ts';
import type { RawSections } from './sections.ts';
import type { Setting } from './setting.ts';
import { hostOf, isAddress, isOrigin, levelOf, list, type Token, tokensOf, truth, webUrl, whole } from './values.ts';
import { WEBHOOK_SETTINGS, type WebhookConfig } from './webhook-settings.ts';

export interface Config extends AgentConfig, WebhookConfig, RedisConfig {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  readonly trustProxy: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly tokens: readonly Token[];
  readonly rateLimit: number;
  readonly flushMs: number;
  readonly bufferBytes: number;
  readonly logLevel: Level;
  readonly taskLogLevel: Level;
  /** Undefined for none. */
  readonly logFile: string | undefined;
  readonly taskLogsEnabled: boolean;
  readonly taskLogsDir: string;
  readonly compressAfterDays: number;
  readonly retentionDays: number;
  readonly maxBytes: number;
  readonly staleAfter: number;
  readonly machineId: string;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly sections: RawSections;
}

/** Every setting, in the order of the docs. */
export const SETTINGS: { readonly [K in keyof Omit<Config, 'sections'>]: Setting<Config[K]> } = {
  dataDir: {
    name: 'TASKTRAIL_DATA_DIR',
    flag: '--data-dir <dir>',
    parse: (text) => text,
    fallback: () => './data',
    shownDefault: './data',
    meaning: 'Where everything is stored: database, keys, spool. Made with mode 0700 when it is not there.',
  },
  host: {
    name: 'TASKTRAIL_HOST',
    flag: '--host <address>',
    parse: hostOf,
    fallback: () => '127.0.0.1',
    shownDefault: '127.0.0.1',
    meaning:
      'Address to listen on. Anything but loopback needs `TASKTRAIL_TOKENS` or a token made by `tasktrail token`.',
  },
  port: {
    name: 'TASKTRAIL_PORT',
    flag: '--port <number>',
    parse: whole(0, 65_535),
    fallback: () => 8000,
    shownDefault: '8000',
    meaning: 'Port to listen on, 0–65535; 0 takes a free one.',
  },
  publicUrl: {
    name: 'TASKTRAIL_PUBLIC_URL',
    flag: '--public-url <url>',
    parse: webUrl,
    fallback: () => undefined,
    shownDefault: 'none',
    meaning: 'How the server is reached from outside, with its path prefix: the base of every link.',
  },
  trustProxy: {
    name: 'TASKTRAIL_TRUST_PROXY',
    flag: '--trust-proxy <addresses>',
    parse: list(isAddress, 'IP addresses or ranges like 10.0.0.0/8, separated by commas'),
    fallback: () => [],
    shownDefault: 'none',
    meaning: 'Addresses of proxies whose `X-Forwarded-*` headers are believed.',
  },
  allowedHosts: {
    name: 'TASKTRAIL_ALLOWED_HOSTS',
    flag: '--allowed-hosts <names>',
    parse: list((text) => /^[A-Za-z0-9._[\]:*-]+$/.test(text), 'host names, separated by commas'),
    fallback: () => [],
    shownDefault: 'loopback names',
    meaning: 'Host names under which the server may be asked, besides the loopback ones.',
  },
  allowedOrigins: {
    name: 'TASKTRAIL_ALLOWED_ORIGINS',
    flag: '--allowed-origins <origins>',
    parse: list(isOrigin, 'origins like https://app.example, separated by commas'),
    fallback: () => [],
    shownDefault: 'own origin',
    meaning: 'Origins of web pages that may call the server, besides its own.',
  },
  tokens: {
    name: 'TASKTRAIL_TOKENS',
    flag: '--tokens <tokens>',
    parse: tokensOf,
    fallback: () => [],
    shownDefault: 'none',
    meaning: '`admin:TOKEN,writer:TOKEN,reader:TOKEN`. Without tokens a caller on loopback is admin.',
    secret: true,
  },
  rateLimit: {
    name: 'TASKTRAIL_RATE_LIMIT',
    flag: '--rate-limit <requests>',
    parse: whole(0, 1_000_000),
    fallback: () => RATE_REQUESTS,
    shownDefault: String(RATE_REQUESTS),
    meaning:
      'Requests a minute of one caller, 0–1000000; the other rates of docs/limits.md go with it. 0 counts nothing.',
  },
  flushMs: {
    name: 'TASKTRAIL_FLUSH_MS',
    flag: '--flush-ms <ms>',
    parse: whole(0, 2_000),
    fallback: () => FLUSH_MS,
    shownDefault: String(FLUSH_MS),
    meaning: 'Longest time that a line nobody awaits stays unwritten, 0–2000 ms. Who awaits is never held back.',
  },
  bufferBytes: {
    name: 'TASKTRAIL_BUFFER_BYTES',
    flag: '--buffer-bytes <bytes>',
    parse: whole(64 * 1024, BUFFER_BYTES),
    fallback: () => TASK_BUFFER_BYTES,
    shownDefault: String(TASK_BUFFER_BYTES),
    meaning: `Memory that one task's unwritten lines may take, 65536–${BUFFER_BYTES} bytes.`,
  },
  logLevel: {
    name: 'TASKTRAIL_LOG_LEVEL',
    flag: '--log-level <level>',
    parse: levelOf,
    fallback: () => 'INFO',
    shownDefault: 'INFO',
    meaning: "Lowest level of the server's own lines, on standard error.",
  },
  taskLogLevel: {
    name: 'TASKTRAIL_TASK_LOG_LEVEL',
    flag: '--task-log-level <level>',
    parse: levelOf,
    fallback: () => 'INFO',
    shownDefault: 'INFO',
    meaning: "Lowest level that is kept of tasks' lines of type `log`. Every other type is always kept.",
  },
  logFile: {
    name: 'TASKTRAIL_LOG_FILE',
    flag: '--log-file <file>',
    parse: (text) => text,
    fallback: () => undefined,
    mayBeEmpty: true,
    shownDefault: '<data>/server.log',
    meaning: "The server's own log as JSON lines, turned over at 10 MiB, five older ones kept; empty for none.",
  },
  taskLogsEnabled: {
    name: 'TASK_LOGS_ENABLED',
    flag: '--task-logs-enabled <true|false>',
    parse: truth,
    fallback: () => true,
    shownDefault: 'true',
    meaning: 'Whether the server writes a directory of files for each task: `true` or `false`.',
  },
  taskLogsDir: {
    name: 'TASK_LOGS_DIR',
    flag: '--task-logs-dir <dir>',
    parse: (text) => text,
    // Below the data directory, wherever that is: `readConfig` fills it in.
    fallback: () => '',
    shownDefault: '<data>/tasks',
    meaning: 'Where the directories of the tasks lie.',
  },
  compressAfterDays: {
    name: 'TASK_LOGS_COMPRESS_AFTER_DAYS',
    flag: '--compress-after-days <days>',
    parse: whole(0, 36_500),
    fallback: () => COMPRESS_AFTER_DAYS,
    shownDefault: String(COMPRESS_AFTER_DAYS),
    meaning: 'Days after its end at which a task is compressed, 0–36500; 0 never does. It is read as before.',
  },
  retentionDays: {
    name: 'TASK_LOGS_RETENTION_DAYS',
    flag: '--retention-days <days>',
    parse: whole(0, 36_500),
    fallback: () => RETENTION_DAYS,
    shownDefault: String(RETENTION_DAYS),
    meaning: 'Days after its end at which a task is deleted, 0–36500; 0 keeps it. A pinned task stays.',
  },
  maxBytes: {
    name: 'TASK_LOGS_MAX_BYTES',
    flag: '--max-bytes <bytes>',
    parse: whole(0, Number.MAX_SAFE_INTEGER),
    fallback: () => 0,
    shownDefault: '0',
    meaning: 'Disk limit in bytes: above it the tasks that ended first are deleted, unless pinned; 0 is no limit.',
  },
  staleAfter: {
    name: 'TASKTRAIL_STALE_AFTER',
    flag: '--stale-after <seconds>',
    parse: whole(0, 31_536_000),
    fallback: () => STALE_AFTER_SECONDS,
    shownDefault: String(STALE_AFTER_SECONDS),
    meaning:
      'Seconds without line or heartbeat after which an outside task is `failed`, 0–31536000; 0 never. A later line reopens it.',
  },
  ...AGENT_SETTINGS,
  ...WEBHOOK_SETTINGS,
  ...REDIS_SETTINGS,
  machineId: {
    name: 'TASKTRAIL_MACHINE_ID',
    parse: (text) => text,
    fallback: hostname,
    shownDefault: 'host name',
    meaning: 'What `machine_id` says in tasks that run here.',
  },
  url: {
    name: 'TASKTRAIL_URL',
    parse: webUrl,
    fallback: () => undefined,
    shownDefault: 'none',
    meaning: 'The server that `run`, `logs`, `tasks` and `stats` talk to, and no other.',
  },
  token: {
    name: 'TASKTRAIL_TOKEN',
    parse: (text) => text,
    fallback: () => undefined,
    shownDefault: 'none',
    meaning: 'The token for that server.',
    secret: true,
  },
};

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
