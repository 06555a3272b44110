import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { LEVELS, type Level, parseLevel } from '../core/level.ts';
import { BUFFER_BYTES, COMPRESS_AFTER_DAYS, FLUSH_MS, TASK_BUFFER_BYTES } from '../core/limits.ts';
import type { RawSections } from './sections.ts';

export const ROLES = ['admin', 'writer', 'reader'] as const;
export type Role = (typeof ROLES)[number];

export interface Token {
  readonly role: Role;
  readonly token: string;
}

export interface Config {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  readonly trustProxy: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly tokens: readonly Token[];
  readonly flushMs: number;
  readonly bufferBytes: number;
  readonly logLevel: Level;
  readonly taskLogLevel: Level;
  readonly taskLogsEnabled: boolean;
  readonly taskLogsDir: string;
  readonly compressAfterDays: number;
  readonly machineId: string;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly sections: RawSections;
}

/** One setting: how it is named everywhere, how its text is read, and what the docs say of it. */
export interface Setting<T = unknown> {
  /** The environment variable. In `tasktrail.config.json` it is the same in lower case, without `TASKTRAIL_`. */
  readonly name: string;
  /** The flag of `serve`; settings for the other commands have none. */
  readonly flag?: string;
  /** Read the text. Throws `Expected` with what is allowed. */
  readonly parse: (text: string) => T;
  readonly fallback: () => T;
  readonly shownDefault: string;
  readonly meaning: string;
  /** Its value is never printed. */
  readonly secret?: boolean;
}

/** What a setting allows, thrown by its `parse`. */
export class Expected extends Error {}

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
    meaning: 'Address to listen on. Anything but loopback needs `TASKTRAIL_TOKENS`.',
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

function hostOf(text: string): string {
  const host = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (isIP(host) || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)) return host;
  throw new Expected('an IP address or a host name');
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new Expected(`a whole number, ${least}–${most}`);
  };
}

function truth(text: string): boolean {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  throw new Expected('true or false');
}

function webUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return text.replace(/\/+$/, '');
  throw new Expected('a URL that begins with http:// or https://');
}

function levelOf(text: string): Level {
  const level = parseLevel(text);
  if (level) return level;
  throw new Expected(LEVELS.join(', '));
}

function list(fits: (text: string) => boolean, expected: string): (text: string) => readonly string[] {
  return (text) => {
    const parts = partsOf(text);
    if (parts.every(fits)) return parts;
    throw new Expected(expected);
  };
}

function tokensOf(text: string): readonly Token[] {
  return partsOf(text).map((part) => {
    const colon = part.indexOf(':');
    const role = ROLES.find((name) => name === part.slice(0, colon));
    const token = part.slice(colon + 1);
    // Tokens travel in a header: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    if (role && /^[\x21-\x7e]+$/.test(token)) return { role, token };
    throw new Expected('admin:TOKEN, writer:TOKEN or reader:TOKEN, separated by commas, without spaces in a token');
  });
}

function isAddress(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return ['loopback', 'linklocal', 'uniquelocal'].includes(text);
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text;
}

function partsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
