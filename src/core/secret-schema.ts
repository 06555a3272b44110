import type { Json, JsonObject } from './entry.ts';

/** What stands where a parameter was that its schema calls a secret. */
export const SECRET_PARAMETER = '[redacted:parameter]';
/** Deeper nesting than any form has. */
const DEPTH = 8;

/** Whether a JSON Schema says of a value that it is for the one who gets it only: a password, or written and never read. */
export function isSecretSchema({ format, writeOnly, 'x-secret': secret }: Readonly<Record<string, unknown>>): boolean {
  return format === 'password' || writeOnly === true || secret === true;
}

/** Parameters without what their schema calls secret, and these values. Of other schemas than `properties` and `items` nothing is known. */
export function withoutSecrets(schema: Json, params: JsonObject): { shown: JsonObject; secrets: readonly string[] } {
  const secrets: string[] = [];
  const shown = hidden(schema, params, { secrets, left: DEPTH }) as JsonObject;
  return secrets.length === 0 ? { shown: params, secrets } : { shown, secrets };
}

function hidden(schema: unknown, value: Json, found: { secrets: string[]; left: number }): Json {
  if (typeof schema !== 'object' || schema === null || found.left === 0) return value;
  const { properties, items, ...more } = schema as Readonly<Record<string, unknown>>;
  if (isSecretSchema(more)) {
    if (value === null || value === '') return value;
    found.secrets.push(typeof value === 'string' ? value : JSON.stringify(value));
    return SECRET_PARAMETER;
  }
  const inner = { ...found, left: found.left - 1 };
  if (Array.isArray(value)) return value.map((held: Json) => hidden(items, held, inner));
  if (typeof value !== 'object' || value === null || typeof properties !== 'object') return value;
  const known = (properties ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      key,
      Object.hasOwn(known, key) ? hidden(known[key], held, inner) : held,
    ]),
  );
}
