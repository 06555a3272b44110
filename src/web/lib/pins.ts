import type { Json } from '../../core/entry.ts';
import type { WireEntry } from '../../core/wire.ts';
import { pathText, shortJson, structuredOf } from './structured.ts';

/** Fields of lines that have a column of their own, by their paths: no more than a row has room for. */
export const PINS_MAX = 5;
const PATH_CHARS = 200;
const PART = /\.?([A-Za-z_$][\w$-]*)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/gy;

interface PinCell {
  readonly path: string;
  /** Empty where the line has no such field. */
  readonly text: string;
}

/** The paths that an address may name, each once. */
export function readPins(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => readPath(path) !== null).slice(0, PINS_MAX);
}

/** What stands in the columns of a line: of the fields of its message, or else of its metadata. */
export function pinCells(
  { message, metadata }: Pick<WireEntry, 'message' | 'metadata'>,
  paths: readonly string[],
): readonly PinCell[] {
  if (paths.length === 0) return [];
  const fields = structuredOf(message);
  return paths.map((path) => {
    const parts = readPath(path) ?? [];
    const value = (fields && valueAt(fields, parts)) ?? (metadata && valueAt(metadata, parts));
    return { path, text: value === undefined || value === null ? '' : shortJson(value) };
  });
}

/** The opposite of `pathText`; null for what that never writes. */
export function readPath(text: string): readonly (string | number)[] | null {
  if (text.length > PATH_CHARS) return null;
  try {
    const parts = Array.from(text.matchAll(PART), ([, name, index, quoted]) =>
      index !== undefined ? Number(index) : (name ?? String(JSON.parse(quoted ?? ''))),
    );
    return parts.length > 0 && pathText(parts) === text ? parts : null;
  } catch {
    return null;
  }
}

function valueAt(value: Json, parts: readonly (string | number)[]): Json | undefined {
  let held: Json | undefined = value;
  for (const part of parts) {
    if (typeof held !== 'object' || held === null || !Object.hasOwn(held, part)) return undefined;
    // The length of a list is no field.
    if (Array.isArray(held) !== (typeof part === 'number')) return undefined;
    held = (held as Record<string | number, Json>)[part];
  }
  return held;
}
