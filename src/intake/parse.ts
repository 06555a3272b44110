import { type ErrorCode, type Fault, TrailError } from '../core/error.ts';
import { BATCH_LINES, JSON_DEPTH } from '../core/limits.ts';
import type { TextBatch } from '../core/ports.ts';

/** A parsed line with its place: the line number in NDJSON, the place in an array, both from 1. */
export interface Parsed {
  readonly place: number;
  readonly value: unknown;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** A list needs two characters an element, so a shorter text cannot hold too many. */
const HARMLESS_CHARS = 2 * BATCH_LINES;
/** Levels of a list of entries whose metadata nests as deep as it may; a little more is left to be told apart later. */
const NESTING = JSON_DEPTH + 8;
const TOO_DEEP = `expected at most ${NESTING} levels of nesting`;

/** Fault reports name this many lines; more would not help to find the mistake. */
export const FAULTS_NAMED = 20;

/** Cut a body into values. Blank lines of NDJSON are no lines. Throws `invalid_json`, `invalid_lines` or `too_many_lines`. */
export function parseBody({ body, format }: Pick<TextBatch, 'body' | 'format'>): readonly Parsed[] {
  const text = typeof body === 'string' ? body : decode(body);
  return format === 'ndjson' ? parseLines(text) : parseDocument(text);
}

function parseDocument(text: string): readonly Parsed[] {
  refuseFlood(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TrailError('invalid_json', `expected an entry or an array of entries as JSON: ${reason(error)}`, {
      cause: error,
    });
  }
  const values = Array.isArray(value) ? value : [value];
  if (values.length > BATCH_LINES) throw tooMany(values.length);
  return values.map((held, index) => ({ place: index + 1, value: held }));
}

/**
 * Refuse what would take gigabytes to parse before it could be refused: too many elements in an outermost list, or nesting without
 * end. Looks only at texts long enough to do harm, counts outside of strings, and leaves every other fault to the parser.
 */
function refuseFlood(text: string): void {
  if (text.length <= HARMLESS_CHARS) return;
  const isList = text.trimStart().startsWith('[');
  let depth = 0;
  let elements = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = text.indexOf('"', at + 1);
      // A quote behind an odd number of backslashes does not end the text.
      while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
      if (at === -1) return;
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth += 1;
      if (depth > NESTING) throw new TrailError('nested_too_deep', TOO_DEEP);
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth -= 1;
    else if (code === COMMA && depth === 1 && isList) {
      elements += 1;
      if (elements > BATCH_LINES) throw tooMany(elements);
    }
  }
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function parseLines(text: string): readonly Parsed[] {
  const parsed: Parsed[] = [];
  const faults: Fault[] = [];
  let place = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end === -1 ? undefined : end);
    start = end === -1 ? text.length : end + 1;
    place += 1;
    if (line === '' || line.trim() === '') continue;
    if (parsed.length === BATCH_LINES) throw tooMany(BATCH_LINES + 1);
    try {
      refuseFlood(line);
      parsed.push({ place, value: JSON.parse(line) });
    } catch (error) {
      const detail = error instanceof TrailError ? error.message : `not valid JSON: ${reason(error)}`;
      faults.push({ path: `line ${place}`, detail });
      if (faults.length === FAULTS_NAMED) break;
    }
  }
  if (faults.length > 0) throw invalidLines(faults);
  return parsed;
}

/** The refusal of a batch: nothing of it was stored, and these lines are why. */
export function invalidLines(faults: readonly Fault[], code: ErrorCode = 'invalid_lines'): TrailError {
  const places = faults.map((fault) => fault.path).join(', ');
  const more = faults.length >= FAULTS_NAMED ? ' and maybe more' : '';
  return new TrailError(code, `nothing was stored; mend and send again: ${places}${more}`, {
    errors: faults.slice(0, FAULTS_NAMED),
  });
}

function tooMany(count: number): TrailError {
  return new TrailError('too_many_lines', `expected at most ${BATCH_LINES} lines in one batch, got ${count} or more`);
}

function decode(bytes: Uint8Array): string {
  // Bytes that are not UTF-8 become U+FFFD; a byte order mark is dropped.
  return new TextDecoder().decode(bytes);
}

/** V8 quotes the text around the fault; that is a stranger's data, so only what kind of fault and where stays. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const position = /position \d+/.exec(message)?.[0];
  const kind = message.startsWith('Unexpected end') ? 'it ends too early' : 'unexpected character';
  return position ? `${kind} at ${position}` : kind;
}
