import type { Level } from './level.ts';
import { SOURCE_CHARS } from './limits.ts';

export const ENTRY_TYPES = [
  'log',
  'output',
  'thinking',
  'tool_call',
  'tool_result',
  'user_input',
  'webhook',
  'progress',
  'result',
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

export const STREAMS = ['stdout', 'stderr'] as const;
export type Stream = (typeof STREAMS)[number];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A stored line. `timestamp` is ISO 8601 UTC with milliseconds; `seq` counts 1, 2, 3 … within the task, in order of commit. */
export interface LogEntry {
  readonly id: string;
  readonly seq: number;
  readonly taskId: string;
  readonly timestamp: string;
  readonly level: Level;
  readonly source: string;
  readonly stream: Stream | null;
  readonly type: EntryType;
  readonly message: string;
  readonly metadata: JsonObject | null;
}

/**
 * A line on its way in, as a caller gives it. Everything but the message may be left out.
 * `timestamp` may be any form that `parseTime` reads, `level` any that `parseLevel` reads.
 */
export interface EntryInput {
  readonly message: string;
  readonly timestamp?: string | number;
  readonly level?: string | number;
  readonly source?: string;
  readonly stream?: Stream | null;
  readonly type?: EntryType;
  readonly metadata?: JsonObject | null;
}

/** A line that is normalised and masked, and waits only for its `seq`. Metadata is JSON text from here to the reader. */
export interface Draft {
  readonly timestamp: string;
  readonly level: Level;
  readonly source: string;
  readonly stream: Stream | null;
  readonly type: EntryType;
  readonly message: string;
  readonly metadataJson: string | null;
}

export const DEFAULT_SOURCE = 'system';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const BAD_SOURCE = /[,\u0000-\u001f\u007f-\u009f]/;

/** A source has 1–64 characters, without comma and control characters. */
export function isSource(value: string): boolean {
  return value.length > 0 && value.length <= SOURCE_CHARS && !BAD_SOURCE.test(value);
}

export function isEntryType(value: unknown): value is EntryType {
  return (ENTRY_TYPES as readonly unknown[]).includes(value);
}

export function isStream(value: unknown): value is Stream {
  return value === 'stdout' || value === 'stderr';
}

/** What a process printed has its stream before it: how lines look below `/tasks`, and in Redis. */
export function markedMessage({ stream, message }: Pick<LogEntry, 'stream' | 'message'>): string {
  return stream === null ? message : `[${stream}] ${message}`;
}

export function entryId(taskId: string, seq: number): string {
  return `${taskId}:${seq}`;
}
