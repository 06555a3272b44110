/** What came out of `JSON.parse`: fields are looked at one by one, and one of another kind counts as left out. */
export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = Object.freeze(Object.create(null));

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** What lies at the end of a row of names; only own fields are followed. */
export function at(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce((held: unknown, name) => {
    const fields = fieldsOf(held) ?? NONE;
    return Object.hasOwn(fields, name) ? fields[name] : undefined;
  }, value);
}

export function textAt(value: unknown, ...names: readonly string[]): string | null {
  const held = at(value, ...names);
  return typeof held === 'string' && held !== '' ? held : null;
}

/** A short text or a number: an id, a name, a key. */
export function wordAt(value: unknown, ...names: readonly string[]): string | null {
  const held = at(value, ...names);
  if (typeof held === 'number' && Number.isFinite(held)) return String(held);
  return typeof held === 'string' && held !== '' && held.length <= 300 ? held : null;
}

export function numberAt(value: unknown, ...names: readonly string[]): number | null {
  const held = at(value, ...names);
  return typeof held === 'number' && Number.isSafeInteger(held) ? held : null;
}

export function listAt(value: unknown, ...names: readonly string[]): readonly unknown[] {
  const held = at(value, ...names);
  return Array.isArray(held) ? held : [];
}

/** Without the fields that are null: what a payload does not tell is left out. */
export function told<T>(fields: Readonly<Record<string, T | null>>): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).filter((field): field is [string, T] => field[1] !== null));
}
