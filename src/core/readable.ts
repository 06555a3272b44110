import type { Json } from './entry.ts';
import { JSON_DEPTH } from './limits.ts';
import { textOf } from './task-logger.ts';

/**
 * Any value as JSON that a person can read: what JSON cannot say is named instead of thrown or dropped. Circles become
 * `[Circular]`, big integers and symbols their text, functions `[Function name]`, errors `{name, message, stack, …}`, maps objects,
 * sets lists, and a property that throws the reason. Never throws.
 */
export function readable(value: unknown): Json {
  return new Reading().read(value, JSON_DEPTH - 1);
}

/** The same as the JSON text of an object: metadata. A number or a list is no object, but it was given and is kept as `value`. */
export function readableObject(value: unknown): string {
  try {
    if (!holdsUnreadable(value)) {
      const json = JSON.stringify(value);
      // JSON writes a lone surrogate as an escape; as text it would come back as no character at all.
      if (json?.startsWith('{') && !json.includes('\\ud')) return json;
    }
  } catch {
    // A circle, a big integer further down, a property that throws.
  }
  const read = readable(value);
  const isObject = typeof read === 'object' && read !== null && !Array.isArray(read);
  return JSON.stringify(isObject ? read : { value: read });
}

/** Looks at the object and its values, which are nearly always the ones: an error, a big integer, a map, given by its name. */
function holdsUnreadable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || isUnreadable(value)) return true;
  for (const key in value) if (isUnreadable((value as Record<string, unknown>)[key])) return true;
  return false;
}

/** True when `JSON.stringify` would throw at, or drop what is told by, this value itself. */
function isUnreadable(value: unknown): boolean {
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') return true;
  return value instanceof Error || value instanceof Map || value instanceof Set;
}

class Reading {
  /** The objects around the one being read: meeting one of them again is a circle, meeting another twice is not. */
  readonly #around = new Set<object>();

  read(value: unknown, left: number): Json {
    if (typeof value === 'string') return value.toWellFormed();
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null;
    if (typeof value === 'function') return `[Function ${value.name || 'anonymous'}]`;
    if (typeof value !== 'object') return textOf(value);
    if (this.#around.has(value)) return '[Circular]';
    if (left === 0) return '[Deeper]';
    this.#around.add(value);
    try {
      return this.#readObject(value, left - 1);
    } catch (error) {
      return `[Unreadable: ${error instanceof Error ? error.message : textOf(error)}]`;
    } finally {
      this.#around.delete(value);
    }
  }

  #readObject(value: object, left: number): Json {
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.read(value.toJSON(), left);
    if (Array.isArray(value)) return value.map((held) => this.read(held, left));
    if (value instanceof Set) return Array.from(value, (held) => this.read(held, left));
    if (value instanceof Map)
      return this.#object(
        Array.from(value, ([key, held]) => [textOf(key), held]),
        left,
      );
    const keys = new Set([...(value instanceof Error ? ERROR_KEYS : []), ...Object.keys(value)]);
    return this.#object(
      Array.from(keys, (key) => [key, held(value, key)]),
      left,
    );
  }

  #object(entries: readonly (readonly [string, unknown])[], left: number): Json {
    const told = entries.filter(([, value]) => value !== undefined);
    // Entries, so that a key `__proto__` stays a key.
    return Object.fromEntries(told.map(([key, value]) => [key.toWellFormed(), this.read(value, left)]));
  }
}

/** What `Object.keys` does not show of an error. */
const ERROR_KEYS = ['name', 'message', 'stack', 'cause', 'errors'];

function held(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch (error) {
    return `[Throws: ${error instanceof Error ? error.message : textOf(error)}]`;
  }
}
