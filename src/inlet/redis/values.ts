import type { Json, JsonObject } from '../../core/entry.ts';
import { parseTime } from '../../core/time.ts';

/*
 * Values of events, read leniently: other systems write numbers as text, times as seconds, objects as JSON within JSON.
 */

export function objectOf(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** A value as text: JSON of what is no text. Null is none. */
export function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Text that is JSON as its value, any other as it is. */
export function jsonIn(text: string): Json {
  if (!/^\s*(?:[[{]|true\s*$|false\s*$|\d)/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** An object, also as JSON text; anything else stands in one as `value`. */
export function objectIn(value: Json | undefined): JsonObject | undefined {
  const read = typeof value === 'string' ? jsonIn(value) : value;
  if (read === undefined || read === null || read === '') return undefined;
  return objectOf(read) ?? { value: read };
}

/** A number, also as text. */
export function numberOf(value: Json | undefined): number | undefined {
  const text = typeof value === 'string' ? value.trim() : value;
  if (text === '' || (typeof text !== 'string' && typeof text !== 'number')) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** A time as everywhere; text with a decimal point is what Python and Unix call it, seconds. */
export function timeOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string' && /^\s*\d{9,10}\.\d+\s*$/.test(value))
    return parseTime(Math.round(Number(value) * 1000));
  return parseTime(value);
}

/** True when JSON nests deeper than `left` levels. */
export function isDeeper(value: Json, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  return Object.values(value).some((held) => isDeeper(held, left - 1));
}

/** Without what was not told; undefined when nothing was. */
export function told<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } | undefined {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> });
}
