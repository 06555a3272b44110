import type { Json } from '../core/entry.ts';

/** What came out of `JSON.parse`: fields are looked at one by one, and one of another kind counts as left out. */
export type Fields = Readonly<Record<string, unknown>>;

/** Longer ids are nobody's: they are not kept, so that maps of ids stay small. */
const ID_CHARS = 256;
/** Deepest nesting that is kept; the entry's own levels come on top. */
const DEPTH = 32;

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= ID_CHARS ? value : undefined;
}

/** A figure that a task may bear: not negative, and not so great that it is no exact number. */
export function figureOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** The start of a text on one line. */
export function oneLine(text: string, chars: number): string {
  // Only as much as can be shown is looked at; white space rarely fills more than the rest.
  const line = start(text, chars * 4)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length <= chars && text.length <= chars * 4 ? line : `${line.slice(0, chars).toWellFormed()}…`;
}

/** The start of a text, as a text of its own: a mere slice would keep all of a long one in memory. */
export function start(text: string, chars: number): string {
  if (text.length <= chars) return text;
  return new TextDecoder().decode(new TextEncoder().encode(text.slice(0, chars)));
}

/**
 * Any JSON within a number of bytes: long texts are cut and say by how much, long lists and deep places are left out and say so.
 * What fits stays as it is.
 */
export function fitted(value: unknown, maxBytes: number): Json {
  for (const size of [maxBytes, 8_192, 2_048, 512, 128, 32]) {
    const copy = cut(value, { chars: size, items: Math.max(8, size / 16) }, DEPTH);
    const json = JSON.stringify(copy);
    // A UTF-16 unit is at most 3 bytes of UTF-8: short texts need no count.
    if (json.length * 3 <= maxBytes || new TextEncoder().encode(json).length <= maxBytes) return copy;
  }
  return '[too large]';
}

interface Size {
  readonly chars: number;
  readonly items: number;
}

function cut(value: unknown, size: Size, left: number): Json {
  if (typeof value === 'string') return cutText(value, size.chars);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (left === 0) return '[deeper]';
  if (Array.isArray(value)) {
    const items = value.slice(0, size.items).map((held) => cut(held, size, left - 1));
    return value.length <= size.items ? items : [...items, `… (+${value.length - items.length} items)`];
  }
  // What a parser leaves undefined is left out, as JSON does.
  const keys = Object.keys(value).filter((key) => (value as Fields)[key] !== undefined);
  const kept = keys.slice(0, size.items);
  // Entries, so that a key `__proto__` stays a key.
  const entries = kept.map((key) => [cutText(key, size.chars), cut((value as Fields)[key], size, left - 1)] as const);
  return Object.fromEntries(keys.length === kept.length ? entries : [...entries, ['…', keys.length - kept.length]]);
}

function cutText(text: string, chars: number): string {
  if (text.length <= chars) return text.toWellFormed();
  return `${text.slice(0, chars).toWellFormed()}… (+${text.length - chars} characters)`;
}
