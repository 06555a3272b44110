import { DEFAULT_SOURCE, type Draft, type EntryInput, isEntryType, isSource, isStream } from '../core/entry.ts';
import { parseLevel } from '../core/level.ts';
import { SOURCE_CHARS } from '../core/limits.ts';
import type { PackedFacet, PackedLines } from '../core/packed.ts';
import { readableObject } from '../core/readable.ts';
import { textOf } from '../core/task-logger.ts';
import { isoTime, parseTime, systemClock } from '../core/time.ts';
import { fittingMetadata } from './normalise.ts';

/** What a line costs besides its text: the string, its end, time and kind. */
const LINE_OVERHEAD = 40;
/** Facets one packer knows; beyond that it forgets the look-up and begins anew, so that endless sources take no memory. */
const FACETS = 10_000;
/** Far behind every time that a program has. */
const LAST_MS = Date.parse('9999-01-01T00:00:00.000Z');

/**
 * Packs lines as loggers give them. It is on the caller's time, so it does little: remember the text, the time and the number
 * of the facet. It takes whatever it is given: what is no source or level becomes one, because logging must not break.
 */
export class LinePacker {
  #messages: string[] = [];
  #ends: number[] = [];
  #times: number[] = [];
  #kinds: number[] = [];
  #metadata = new Map<number, string>();
  #chars = 0;
  #facets: PackedFacet[] = [];
  readonly #numbers = new Map<string, number>();
  #last: EntryInput | undefined;
  #lastKind = 0;

  get size(): number {
    return this.#ends.length;
  }

  /** Pack one line; answers about how many bytes it takes in memory. */
  add(entry: EntryInput): number {
    const { message, timestamp, metadata } = entry;
    const text = textOf(message);
    const place = this.#ends.length;
    let bytes = LINE_OVERHEAD + text.length;
    if (metadata != null) {
      const json = readableObject(metadata);
      this.#metadata.set(place, json);
      bytes += LINE_OVERHEAD + json.length;
    }
    this.#messages.push(text);
    this.#chars += text.length;
    this.#ends.push(this.#chars);
    this.#times.push(timestamp === undefined ? systemClock.now() : timeOf(timestamp));
    this.#kinds.push(this.#kindOf(entry));
    return bytes;
  }

  /** What was packed, and an empty packer again. */
  take(): PackedLines {
    const packed: PackedLines = {
      messages: this.#messages.join(''),
      ends: Uint32Array.from(this.#ends),
      times: Float64Array.from(this.#times),
      kinds: Uint32Array.from(this.#kinds),
      facets: this.#facets,
      metadata: this.#metadata,
    };
    this.#messages = [];
    this.#ends = [];
    this.#times = [];
    this.#kinds = [];
    this.#metadata = new Map();
    this.#chars = 0;
    if (this.#facets.length > FACETS) {
      this.#facets = [];
      this.#numbers.clear();
      this.#last = undefined;
    }
    return packed;
  }

  #kindOf(entry: EntryInput): number {
    const last = this.#last;
    if (last !== undefined && isSameKind(last, entry)) return this.#lastKind;
    const key = [entry.level, entry.source, entry.stream, entry.type].map(textOf).join('\n');
    let kind = this.#numbers.get(key);
    if (kind === undefined) {
      kind = this.#facets.length;
      this.#facets.push(facetOf(entry));
      this.#numbers.set(key, kind);
    }
    this.#last = entry;
    this.#lastKind = kind;
    return kind;
  }
}

/** The lines again, normalised. */
export function* unpacked({ messages, ends, times, kinds, facets, metadata }: PackedLines): Generator<Draft> {
  let start = 0;
  for (let place = 0; place < ends.length; place++) {
    const end = ends[place] ?? start;
    const facet = facets[kinds[place] ?? 0];
    if (!facet) throw new Error(`facet ${kinds[place]} of packed lines is missing`);
    const { level, source, stream, type } = facet;
    const message = messages.slice(start, end);
    const json = metadata.get(place);
    yield {
      timestamp: isoTime(times[place] ?? 0),
      level,
      source,
      stream,
      type,
      message: message.isWellFormed() ? message : message.toWellFormed(),
      metadataJson: json === undefined ? null : fittingMetadata(json),
    };
    start = end;
  }
}

function facetOf({ level, source, stream, type }: EntryInput): PackedFacet {
  return {
    level: parseLevel(level) ?? 'INFO',
    source: sourceOf(source),
    stream: isStream(stream) ? stream : null,
    type: isEntryType(type) ? type : 'log',
  };
}

function sourceOf(source: unknown): string {
  const text = source === undefined || source === null ? DEFAULT_SOURCE : textOf(source).trim();
  if (isSource(text)) return text.toWellFormed();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it replaces
  const cleaned = text.replace(/[,\u0000-\u001f\u007f-\u009f]/g, '_').slice(0, SOURCE_CHARS);
  return cleaned === '' ? DEFAULT_SOURCE : cleaned.toWellFormed();
}

/** Whether two entries share level, source, stream and type, in the very same words. */
export function isSameKind(a: EntryInput, b: EntryInput): boolean {
  return a.level === b.level && a.source === b.source && a.stream === b.stream && a.type === b.type;
}

/** Unix milliseconds that need no look at a calendar. */
export function isPlainTime(timestamp: unknown): timestamp is number {
  return typeof timestamp === 'number' && timestamp >= 0 && timestamp < LAST_MS;
}

function timeOf(timestamp: string | number): number {
  if (isPlainTime(timestamp)) return timestamp;
  const iso = parseTime(timestamp);
  return iso === undefined ? systemClock.now() : Date.parse(iso);
}
