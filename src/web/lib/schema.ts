import type { Json, JsonObject } from '../../core/entry.ts';

/** A `$ref` that leads on and on is given up. */
const HOPS = 8;

export function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** A schema with its `$ref` into the same document, and an `allOf` of one, followed; what stands beside them counts more. */
export function resolved(schema: JsonObject, root: JsonObject, hops = HOPS): JsonObject {
  const { $ref: ref, allOf, ...own } = schema;
  const target = typeof ref === 'string' ? definition(root, ref) : onlyOf(allOf);
  if (target === undefined || hops === 0) return schema;
  return { ...resolved(target, root, hops - 1), ...own };
}

/** The one type of a value, `null` beside it left out; undefined when there are several or none is said. */
export function typeOf({ type }: JsonObject): string | undefined {
  const types = (Array.isArray(type) ? type : [type]).filter((name) => name !== 'null');
  return types.length === 1 && typeof types[0] === 'string' ? types[0] : undefined;
}

/** The values to choose from, and what they are called where they have names; nothing when any value is taken. */
export function choicesOf(schema: JsonObject): {
  readonly choices: readonly Json[];
  readonly words?: readonly string[];
} {
  if (Array.isArray(schema.enum)) return { choices: schema.enum };
  if ('const' in schema) return { choices: [schema.const ?? null] };
  const either = [schema.oneOf, schema.anyOf].find((held) => Array.isArray(held)) as readonly Json[] | undefined;
  const named = (either ?? []).map(objectOf);
  if (named.length === 0 || !named.every((each) => each !== undefined && 'const' in each)) return { choices: [] };
  const words = named.map((each) => textOf(each?.title) ?? shown(each?.const ?? null));
  return { choices: named.map((each) => each?.const ?? null), words };
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** A value as a person reads it: a text without its quotes. */
export function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function definition(root: JsonObject, ref: string): JsonObject | undefined {
  if (!ref.startsWith('#/')) return undefined;
  let found: JsonObject | undefined = root;
  for (const name of ref.slice(2).split('/')) {
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
    found = found && Object.hasOwn(found, key) ? objectOf(found[key]) : undefined;
  }
  return found;
}

function onlyOf(value: Json | undefined): JsonObject | undefined {
  return Array.isArray(value) && value.length === 1 ? objectOf(value[0] as Json) : undefined;
}
