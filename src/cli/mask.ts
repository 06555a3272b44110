import type { EntryInput, Json } from '../core/entry.ts';

export type Mask = (text: string) => string;

/** What goes to disk must not hold a secret, so lines are masked before anything else happens to them. */
export function maskedEntry(entry: EntryInput, mask: Mask): EntryInput {
  const message = mask(entry.message);
  if (!entry.metadata) return message === entry.message ? entry : { ...entry, message };
  return { ...entry, message, metadata: maskedValue(entry.metadata, mask) };
}

/** The same value with every text in it masked, however deep. */
export function maskedValue<T extends Json>(value: T, mask: Mask): T {
  return masked(value, mask) as T;
}

function masked(value: Json, mask: Mask): Json {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((held: Json) => masked(held, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [mask(key), masked(held, mask)]));
}
