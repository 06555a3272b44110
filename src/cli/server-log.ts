import { closeSync, mkdirSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { inspect } from 'node:util';
import { type Logger, multistream, pino, stdTimeFunctions } from 'pino';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import type { Level } from '../core/level.ts';
import type { Redactor } from '../intake/redact.ts';

/** The file is turned over at this size; this many older ones are kept. */
const FILE_BYTES = 10 * 1024 * 1024;
const OLDER_FILES = 5;
const PINO_LEVELS: Readonly<Record<Level, string>> = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' };

export interface ServerLogOptions {
  readonly level: Level;
  /** Where its lines go as JSON, besides the console; undefined for nowhere. */
  readonly file?: string | undefined;
  /** The file's size at which it is turned over (default 10 MiB). */
  readonly fileBytes?: number;
  readonly redactor: Pick<Redactor, 'maskJson'>;
  /** Print a line for people, on standard error. */
  readonly print: (line: string) => void;
}

/** The server's own lines: readable on the console, as JSON in a file that is turned over. */
export interface ServerLog {
  readonly logger: Logger;
  setLevel(level: Level): void;
  /** Write what waits. Safe to call twice. */
  close(): Promise<void>;
}

export function openServerLog({ level, file, fileBytes = FILE_BYTES, redactor, print }: ServerLogOptions): ServerLog {
  const stream = file === undefined ? undefined : rotating(file, fileBytes, print);
  const consoleStream = { write: (line: string) => print(readable(line)) };
  const streams = [consoleStream, ...(stream ? [stream] : [])].map((held) => ({
    level: 'trace' as const,
    stream: held,
  }));
  const logger = pino(
    {
      level: PINO_LEVELS[level],
      timestamp: stdTimeFunctions.isoTime,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      hooks: { streamWrite: (line) => `${redactor.maskJson(line.trimEnd())}\n` },
    },
    multistream(streams),
  );
  let closing: Promise<void> | undefined;
  return {
    logger,
    setLevel: (changed) => {
      logger.level = PINO_LEVELS[changed];
    },
    close: () => {
      closing ??= new Promise((resolve) => {
        if (!stream || stream.destroyed) return resolve();
        stream.once('close', resolve);
        stream.end();
      });
      return closing;
    },
  };
}

/** A file that cannot be written is said once, and the server goes on without it. */
function rotating(file: string, bytes: number, print: (line: string) => void): RotatingFileStream | undefined {
  const name = basename(file);
  let told = false;
  const tell = ({ message }: Error): void => {
    if (!told) print(`the server's log cannot be written: ${message}`);
    told = true;
  };
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
  } catch (error) {
    tell(error as Error);
    return undefined;
  }
  const stream = createStream((index) => (index ? `${name}.${index}` : name), {
    path: dirname(file),
    size: `${bytes}B`,
    rotate: OLDER_FILES,
    mode: 0o600,
  });
  stream.on('error', tell);
  stream.on('warning', tell);
  return stream;
}

/** `2026-01-24T10:00:00.000Z ERROR request failed { code: 'internal' }` */
function readable(line: string): string {
  const { time, level, msg, pid: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const text = `${time} ${level} ${msg}`;
  return Object.keys(rest).length === 0 ? text : `${text} ${inspect(rest, { breakLength: Number.POSITIVE_INFINITY })}`;
}
