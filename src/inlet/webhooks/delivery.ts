import { TrailError } from '../../core/error.ts';
import { JSON_DEPTH } from '../../core/limits.ts';
import { type Fields, fieldsOf } from './fields.ts';

/** One HTTP request of a provider, before anything in it is believed. */
export interface Delivery {
  /** Names in any case; one that came several times is a list. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The bytes as they came: what is signed. */
  readonly body: Uint8Array;
  readonly nowMs: number;
}

/** A header's value: undefined when it is not there, null when it came more than once, so that nobody chooses one of two. */
export function header(delivery: Delivery, name: string): string | null | undefined {
  const wanted = name.toLowerCase();
  const values = Object.entries(delivery.headers)
    .filter(([key]) => key.toLowerCase() === wanted)
    .flatMap(([, value]) => value ?? []);
  return values.length > 1 ? null : values[0];
}

/** A header that names something: an id, an event. Whatever is no short printable text counts as not there. */
export function headerWord(delivery: Delivery, name: string): string | null {
  const value = header(delivery, name)?.trim();
  return value !== undefined && /^[\x21-\x7e]{1,200}$/.test(value) ? value : null;
}

/** The body as an object, of JSON or of the JSON in the form field `payload`. Throws `invalid_json`. */
export function readPayload(delivery: Delivery): Fields {
  if (!isForm(delivery)) return parseJson(textOf(delivery.body));
  const payload = readForm(delivery).get('payload');
  if (payload === null) throw new TrailError('invalid_json', 'expected a form with the field payload, found none');
  return parseJson(payload);
}

export function isForm(delivery: Delivery): boolean {
  return header(delivery, 'content-type')?.toLowerCase().startsWith('application/x-www-form-urlencoded') ?? false;
}

export function readForm(delivery: Delivery): URLSearchParams {
  return new URLSearchParams(textOf(delivery.body));
}

/** Parse without taking `__proto__` for anything but a name: `JSON.parse` keeps it as a key of its own. */
export function parseJson(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser quotes the text around the fault; only the place leaves.
    const place = error instanceof Error ? /position \d+/.exec(error.message)?.[0] : undefined;
    throw new TrailError('invalid_json', `expected JSON, got something else at ${place ?? 'its end'}`, {
      cause: error,
    });
  }
  const fields = fieldsOf(value);
  if (fields === undefined) throw new TrailError('invalid_json', 'expected a JSON object, got another kind of value');
  if (isDeep(fields)) {
    throw new TrailError('nested_too_deep', `expected at most ${JSON_DEPTH} levels of nesting, got more`);
  }
  return fields;
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new TrailError('invalid_json', 'expected UTF-8, got other bytes', { cause: error });
  }
}

/** Level by level, because a body of brackets alone would be deeper than the stack. */
function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > JSON_DEPTH) return true;
    level = level.flatMap((held) => (typeof held === 'object' && held !== null ? Object.values(held) : []));
  }
  return false;
}

/** Headers that say what a delivery is; of the others some bear signatures, tokens and cookies. */
const KEPT =
  /^(?:content-type|user-agent|x-github-(?:event|delivery|hook-id)|x-atlassian-webhook-identifier|x-slack-(?:retry-num|retry-reason)|sentry-hook-(?:resource|timestamp)|request-id|webhook-id|ce-id|ce-type|x-gitlab-event(?:-uuid)?|x-delivery-id|idempotency-key)$/;
const KEPT_CHARS = 300;

/** What of the headers is kept, in lower case: enough to read the delivery again. */
export function keptHeaders({ headers }: Delivery): Record<string, string> {
  const kept = Object.entries(headers).flatMap(([name, value]) => {
    const text = [value ?? []].flat()[0];
    const key = name.toLowerCase();
    return KEPT.test(key) && text !== undefined ? [[key, text.slice(0, KEPT_CHARS)]] : [];
  });
  return Object.fromEntries(kept);
}
