import type { EntryInput, EntryType, JsonObject } from '../core/entry.ts';
import type { Level } from '../core/level.ts';
import { LINE_BYTES, METADATA_BYTES } from '../core/limits.ts';
import { parseTime } from '../core/time.ts';
import { fitted } from './json.ts';

/** An entry that a parser makes. Time, source and stream are those of the line it was read from. */
export interface Made {
  readonly type: EntryType;
  readonly message: string;
  readonly level?: Level;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Room that intake's own marks may take. */
const SPARE_BYTES = 1_024;

/**
 * What was made of a line, as entries within the limits: a message that is too long goes on in entries with `metadata.continued`,
 * as with captured lines. What capture marked on the line stays marked.
 */
export function entriesOf(line: EntryInput, made: Made): readonly EntryInput[] {
  const marks = line.metadata ?? undefined;
  const metadata = made.metadata || marks ? fitted({ ...marks, ...made.metadata }, METADATA_BYTES - SPARE_BYTES) : null;
  const entry: EntryInput = { ...line, type: made.type, level: made.level ?? 'INFO', metadata: metadata as JsonObject };
  const [first = '', ...rest] = pieces(made.message);
  return [
    { ...entry, message: first },
    ...rest.map((message) => ({ ...entry, message, metadata: { continued: true } })),
  ];
}

/** A line that is nothing special, within the limits. */
export function keptLine(line: EntryInput): readonly EntryInput[] {
  if (line.message.length <= LINE_BYTES / 3) return [line];
  const [first = '', ...rest] = pieces(line.message);
  const metadata = { ...line.metadata, continued: true };
  return [{ ...line, message: first }, ...rest.map((message) => ({ ...line, message, metadata }))];
}

/** When a line was printed, in Unix ms; undefined when it does not say. */
export function timeOf({ timestamp }: EntryInput): number | undefined {
  if (typeof timestamp === 'number') return timestamp;
  const time = parseTime(timestamp);
  return time === undefined ? undefined : Date.parse(time);
}

function pieces(text: string): readonly string[] {
  if (text.length <= LINE_BYTES / 3) return [text];
  const found: string[] = [];
  const room = new Uint8Array(LINE_BYTES);
  const encoder = new TextEncoder();
  for (let start = 0; start < text.length; ) {
    // It stops before the character that has no room any more, so none is cut in two.
    const end = start + encoder.encodeInto(text.slice(start, start + LINE_BYTES), room).read;
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
}
