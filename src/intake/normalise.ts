import { DEFAULT_SOURCE, type Draft, isEntryType, isSource, isStream } from '../core/entry.ts';
import type { ErrorCode } from '../core/error.ts';
import { parseLevel } from '../core/level.ts';
import { FIELDS, JSON_DEPTH, LINE_BYTES, METADATA_BYTES } from '../core/limits.ts';
import { isoTime, parseTime } from '../core/time.ts';

/** How lines of one batch are read. */
export interface Reading {
  readonly taskId: string;
  /** Time of lines that bear none, Unix ms. */
  readonly nowMs: number;
  /** Captured lines are cut to the limits; a caller's own are refused. */
  readonly captured: boolean;
}

/** What is wrong with a line. Limits have codes of their own; all else is `invalid_lines`. */
export class Refusal {
  readonly detail: string;
  readonly code: ErrorCode;

  constructor(detail: string, code: ErrorCode = 'invalid_lines') {
    this.detail = detail;
    this.code = code;
  }
}

const NONE: readonly string[] = [];
const NO_METADATA = { json: null };

const KEYS: ReadonlySet<string> = new Set([
  'message',
  'timestamp',
  'level',
  'source',
  'stream',
  'type',
  'metadata',
  // What a stored entry bears besides: read and left alone, so that exported lines can be sent again.
  'id',
  'seq',
  'task_id',
]);

/**
 * A caller's value as a line, every field checked and filled in; or what is wrong with it.
 * Fields that an entry does not have are kept in its metadata: nothing that was sent is lost.
 */
export function normalise(value: unknown, reading: Reading): Draft | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Refusal(`expected an object with a message, got ${kindOf(value)}`);
  }
  const input = value as Record<string, unknown>;
  const { message, level, source, stream, type } = input;
  if (typeof message !== 'string') return new Refusal(`message: expected text, got ${kindOf(message)}`);
  if (input.task_id !== undefined && input.task_id !== reading.taskId)
    return new Refusal('task_id: names another task than the address');
  const found = level === undefined || level === null ? 'INFO' : parseLevel(level);
  if (found === undefined) return new Refusal(`level: expected DEBUG, INFO, WARNING or ERROR, got ${shown(level)}`);
  const named = typeof source === 'string' ? source.trim() : (source ?? DEFAULT_SOURCE);
  if (typeof named !== 'string' || !isSource(named)) {
    return new Refusal(`source: expected 1–64 characters without comma and control characters, got ${shown(source)}`);
  }
  if (stream !== undefined && stream !== null && !isStream(stream))
    return new Refusal(`stream: expected stdout, stderr or null, got ${shown(stream)}`);
  if (type !== undefined && type !== null && !isEntryType(type))
    return new Refusal(`type: expected a type of entry, got ${shown(type)}`);
  const timestamp = input.timestamp == null ? isoTime(reading.nowMs) : parseTime(input.timestamp);
  if (timestamp === undefined)
    return new Refusal(`timestamp: expected ISO 8601 or Unix milliseconds, got ${shown(input.timestamp)}`);
  if (isTooLong(message) && !reading.captured)
    return new Refusal(`message: expected at most ${LINE_BYTES} bytes`, 'message_too_large');
  const metadata = metadataOf(input, reading);
  if (metadata instanceof Refusal) return metadata;
  return {
    timestamp,
    level: found,
    source: named.toWellFormed(),
    stream: stream ?? null,
    type: type ?? 'log',
    // Lone surrogates cannot be written as UTF-8; they become U+FFFD.
    message: message.isWellFormed() ? message : message.toWellFormed(),
    metadataJson: metadata.json,
  };
}

/** A captured line over the limit as several: the first bears its metadata, the following ones `continued`. */
export function pieces(draft: Draft): readonly Draft[] {
  const cut: Draft[] = [];
  const bytes = Buffer.from(draft.message);
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + LINE_BYTES, bytes.length);
    // Bytes 10xxxxxx go on with a character: the cut is before its first byte.
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    const metadataJson = start === 0 ? draft.metadataJson : '{"continued":true}';
    cut.push({ ...draft, message: bytes.toString('utf8', start, end), metadataJson });
    start = end;
  }
  return cut;
}

export function isTooLong(message: string): boolean {
  // A UTF-16 unit is at most 3 bytes of UTF-8: short lines need no count.
  return message.length > LINE_BYTES / 3 && Buffer.byteLength(message) > LINE_BYTES;
}

function metadataOf(input: Record<string, unknown>, { captured }: Reading): { json: string | null } | Refusal {
  const { metadata } = input;
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    return new Refusal(`metadata: expected an object or null, got ${kindOf(metadata)}`);
  }
  const extra = extraKeys(input);
  if (!metadata && extra.length === 0) return NO_METADATA;
  // Own keys only and no prototype: a key `__proto__` is data like any other.
  const merged: Record<string, unknown> = Object.create(null);
  for (const key of extra) define(merged, key, input[key]);
  for (const [key, held] of Object.entries(metadata ?? {})) define(merged, key, held);
  if (deeper(merged, JSON_DEPTH))
    return new Refusal(`metadata: expected at most ${JSON_DEPTH} levels of nesting`, 'nested_too_deep');
  const fields = Object.keys(merged).length;
  if (fields > FIELDS && !captured)
    return new Refusal(`metadata: expected at most ${FIELDS} fields, got ${fields}`, 'too_many_fields');
  const json = JSON.stringify(merged, wellFormed);
  if (captured) return { json: fittingMetadata(json) };
  if (isSmall(json)) return { json };
  const got = Buffer.byteLength(json);
  return new Refusal(`metadata: expected at most ${METADATA_BYTES} bytes of JSON, got ${got}`, 'metadata_too_large');
}

/** Keys that an entry does not have. Nearly always there are none, and nothing is made for them. */
function extraKeys(input: Record<string, unknown>): readonly string[] {
  let extra: string[] | undefined;
  for (const key of Object.keys(input)) {
    if (KEYS.has(key)) continue;
    extra ??= [];
    extra.push(key);
  }
  return extra ?? NONE;
}

function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** For `JSON.stringify`: lone surrogates cannot be written as UTF-8, so they become U+FFFD. */
export function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' && !value.isWellFormed() ? value.toWellFormed() : value;
}

/** Metadata of a captured line as JSON text within the limit: what is longer is cut, not refused. */
export function fittingMetadata(json: string): string {
  if (isSmall(json) && hasFewColons(json)) return json;
  const metadata = JSON.parse(json) as Record<string, unknown>;
  const fields = Object.entries(metadata);
  if (fields.length <= FIELDS) return isSmall(json) ? json : cutStrings(metadata);
  // One more is the mark.
  const rest = Object.fromEntries(fields.slice(0, FIELDS - 1));
  return cutStrings(rest, json.length - JSON.stringify(rest).length);
}

function isSmall(json: string): boolean {
  return json.length * 3 <= METADATA_BYTES || Buffer.byteLength(json) <= METADATA_BYTES;
}

/** No more colons than fields are allowed: then it need not be parsed to count them. */
function hasFewColons(json: string): boolean {
  let colons = 0;
  for (let at = json.indexOf(':'); at !== -1; at = json.indexOf(':', at + 1)) if (++colons > FIELDS) return false;
  return true;
}

/** Shorten the longest strings until the whole fits; `_cut` counts the characters that went, with those that are gone already. */
function cutStrings(metadata: Record<string, unknown>, gone = 0): string {
  for (let longest = 8_192; longest >= 16; longest /= 2) {
    let cut = gone;
    const json = JSON.stringify(metadata, (_key, value: unknown) => {
      if (typeof value !== 'string' || value.length <= longest) return value;
      cut += value.length - longest;
      return `${value.slice(0, longest).toWellFormed()}…`;
    });
    const marked = `${json.slice(0, -1)},"_cut":${cut}}`;
    if (Buffer.byteLength(marked) <= METADATA_BYTES) return marked;
  }
  return JSON.stringify({ _cut: gone + JSON.stringify(metadata).length });
}

/** True when JSON nests deeper than `left` levels. */
export function deeper(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  return Object.values(value).some((held) => deeper(held, left - 1));
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value;
}

function shown(value: unknown): string {
  return typeof value === 'object' ? kindOf(value) : JSON.stringify(String(value).slice(0, 100));
}
