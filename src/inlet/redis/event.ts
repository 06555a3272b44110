import type { JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import type { EventStep } from '../../core/event.ts';
import { checkTaskId } from '../../core/id.ts';
import { BODY_BYTES, JSON_DEPTH, TASK_JSON_BYTES, TEXT_CHARS } from '../../core/limits.ts';
import { isoTime } from '../../core/time.ts';
import { stepOf } from './step.ts';
import { isDeeper, jsonIn, objectOf, textOf, timeOf } from './values.ts';

/** What a stream entry means: a step to apply, one to leave out with a warning, or one that cannot be understood. */
export type ReadEvent =
  | { readonly kind: 'step'; readonly step: EventStep }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'poison'; readonly reason: string };

const TASK_TYPES: ReadonlySet<string> = new Set([
  'task:created',
  'task:started',
  'task:output',
  'task:user_input',
  'task:completed',
  'task:failed',
]);
const WEBHOOK_TYPE = /^webhook:[a-z0-9_.-]{1,64}$/;
/** Fields that are no data. */
const ENVELOPE: ReadonlySet<string> = new Set(['timestamp', 'task_id', 'webhook_event_id']);
/** What of the data is JSON even where it stands flat, as text. */
const JSON_FIELDS: ReadonlySet<string> = new Set([
  'metadata',
  'source_metadata',
  'args',
  'result',
  'payload',
  'metrics',
  'signature_valid',
  'payload_size',
]);

/**
 * Read one entry of the stream, given as Redis gives it: name, value, name, value …
 * `nowMs` is the time of an event that bears none. Never throws.
 */
export function readEvent(flat: readonly string[], nowMs: number): ReadEvent {
  try {
    return opened(flat, nowMs);
  } catch (error) {
    return { kind: 'poison', reason: error instanceof Error ? error.message : String(error) };
  }
}

function opened(flat: readonly string[], nowMs: number): ReadEvent {
  const fields = fieldsOf(flat);
  const named = eventType(fields);
  if (named === undefined) return skipped('no type');
  const { type } = named;
  const { timestamp: inner, task_id, webhook_event_id, ...rest } = dataOf(fields, named);
  const taskId = idOf(fields.task_id) ?? idOf(task_id);
  const isWebhook = type.startsWith('webhook:');
  const webhookEventId = isWebhook ? (idOf(fields.webhook_event_id) ?? idOf(webhook_event_id)) : null;
  if (taskId !== null) checkTaskId(taskId);
  if ((webhookEventId?.length ?? 0) > TEXT_CHARS) {
    throw new TrailError('invalid_request', `webhook_event_id: expected at most ${TEXT_CHARS} characters`);
  }
  if (taskId === null && (!isWebhook || type === 'webhook:task_created')) return skipped(`${type} without task_id`);
  if (taskId === null && webhookEventId === null) return skipped(`${type} without webhook_event_id`);
  const given = fields.timestamp || inner;
  const timestamp = timeOf(given);
  const isUnread = timestamp === undefined && given != null && given !== '';
  // A time that cannot be read is kept where it can be seen.
  const data: JsonObject = isUnread ? { ...rest, event_timestamp: given } : rest;
  const step = stepOf({ type, timestamp: timestamp ?? isoTime(nowMs), data });
  if ((step.draft || step.change) && textLength(flat) > TASK_JSON_BYTES / 3) checkDocuments(step);
  return { kind: 'step', step: { taskId, webhookEventId, ...step } };
}

function fieldsOf(flat: readonly string[]): Readonly<Record<string, string>> {
  // Without a prototype, so that a field `__proto__` is one like any other.
  const fields: Record<string, string> = Object.create(null);
  for (let at = 0; at + 1 < flat.length; at += 2) fields[flat[at] ?? ''] = flat[at + 1] ?? '';
  return fields;
}

interface NamedType {
  readonly type: string;
  /** The field that said so; the other one of the two is data. */
  readonly field: 'type' | 'event_type';
}

/** `event_type` of a delivery and `type` of a line are data where the other field names the event. */
function eventType(fields: Readonly<Record<string, string>>): NamedType | undefined {
  for (const field of ['type', 'event_type'] as const) {
    const type = (fields[field] ?? '').trim().toLowerCase();
    if (TASK_TYPES.has(type) || WEBHOOK_TYPE.test(type)) return { type, field };
  }
  const unknown = fields.type || fields.event_type;
  if (!unknown) return undefined;
  throw new TrailError(
    'invalid_request',
    `type: expected task:… or webhook:…, got ${JSON.stringify(unknown.slice(0, 100))}`,
  );
}

/** The data, whichever way it came: as JSON in `data` or `payload`, flat beside the type, or both. */
function dataOf(fields: Readonly<Record<string, string>>, { type, field }: NamedType): JsonObject {
  const wrapped = fields.data === undefined ? payloadField(fields, type, field) : 'data';
  const flat: [string, JsonObject[string]][] = [];
  for (const name in fields) {
    if (name === field || name === wrapped || ENVELOPE.has(name)) continue;
    const text = fields[name] ?? '';
    flat.push([name, JSON_FIELDS.has(name) ? jsonIn(text) : text]);
  }
  const held = wrapped === undefined ? {} : parsed(wrapped, fields[wrapped] ?? '');
  const data = flat.length === 0 ? held : { ...Object.fromEntries(flat), ...held };
  if (isDeeper(data, JSON_DEPTH))
    throw new TrailError('nested_too_deep', `data: nested deeper than ${JSON_DEPTH} levels`);
  return data;
}

/** `payload` is another name of `data`, but in a flat `webhook:received`: there it is what the provider sent. */
function payloadField(fields: object, type: string, field: string): 'payload' | undefined {
  if (!('payload' in fields)) return undefined;
  return type === 'webhook:received' && field === 'type' ? undefined : 'payload';
}

function parsed(name: string, text: string): JsonObject {
  if (text.trim() === '') return {};
  if (text.length > BODY_BYTES) throw new TrailError('body_too_large', `${name}: expected at most ${BODY_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TrailError('invalid_json', `${name}: expected JSON: ${(cause as Error).message}`, { cause });
  }
  const object = objectOf(value);
  if (object) return object;
  throw new TrailError(
    'invalid_json',
    `${name}: expected a JSON object, got ${Array.isArray(value) ? 'a list' : typeof value}`,
  );
}

/** An id as text; a number counts, an empty text does not. */
function idOf(value: unknown): string | null {
  return (typeof value === 'string' || typeof value === 'number' ? textOf(value)?.trim() : '') || null;
}

function textLength(flat: readonly string[]): number {
  return flat.reduce((sum, text) => sum + text.length, 0);
}

/** The store refuses larger ones: better it is known before the event is acknowledged. */
function checkDocuments({ draft, change }: Pick<EventStep, 'draft' | 'change'>): void {
  for (const [name, value] of Object.entries({ ...draft, ...change })) {
    if (typeof value !== 'object' || value === null) continue;
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (bytes > TASK_JSON_BYTES) {
      throw new TrailError('invalid_task', `${name}: expected at most ${TASK_JSON_BYTES} bytes of JSON, got ${bytes}`);
    }
  }
}

function skipped(reason: string): ReadEvent {
  return { kind: 'skipped', reason };
}
