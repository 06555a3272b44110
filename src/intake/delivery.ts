import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { JSON_DEPTH, TEXT_CHARS } from '../core/limits.ts';
import type { DeliveryDraft, StoredWebhook } from '../core/webhook.ts';
import { deeper } from './normalise.ts';
import type { Redactor } from './redact.ts';
import { cut } from './task-fields.ts';

const TEXTS = ['deliveryId', 'eventType', 'sender', 'reason', 'detail'] as const;

/** The same delivery with every secret in it masked and its texts cut to their limit. A body that is JSON stays JSON. */
export function maskedDelivery(delivery: DeliveryDraft, redactor: Redactor): DeliveryDraft {
  const masked = TEXTS.map((name) => [name, delivery[name] === null ? null : maskedText(delivery[name], redactor)]);
  return {
    ...delivery,
    ...(Object.fromEntries(masked) as Pick<DeliveryDraft, (typeof TEXTS)[number]>),
    headers: JSON.parse(redactor.maskJson(JSON.stringify(delivery.headers))) as JsonObject,
    body: delivery.body === null ? null : maskedBody(delivery.body, redactor),
  };
}

/** Throws `invalid_webhook` for a definition that would not be the same when it was masked. */
export function checkWebhook({ definition }: StoredWebhook, redactor: Redactor): void {
  const json = JSON.stringify(definition);
  if (redactor.maskJson(json) === json) return;
  const detail = 'it holds what looks like a secret, which is masked before it is stored; only `secret` may hold one';
  throw new TrailError('invalid_webhook', detail, { errors: [{ path: 'definition', detail }] });
}

function maskedText(text: string, redactor: Redactor): string {
  return cut(redactor.mask(text.toWellFormed()), TEXT_CHARS);
}

/** Null for what cannot be looked through: nobody needs to replay it. */
function maskedBody(body: string, redactor: Redactor): string | null {
  const json = jsonIn(body);
  if (json !== undefined) return maskedJson(body, json, redactor);
  const fields = [...new URLSearchParams(body)];
  if (fields.every(([, value]) => value === '')) return redactor.mask(body);
  // What a form holds is escaped, so that a secret may look different from what it is.
  const masked: [string, string][] = [];
  for (const [name, value] of fields) {
    const held = jsonIn(value);
    const text = held === undefined ? redactor.mask(value) : maskedJson(value, held, redactor);
    if (text === null) return null;
    masked.push([redactor.mask(name), text]);
  }
  const changed = masked.some(([name, value], index) => name !== fields[index]?.[0] || value !== fields[index]?.[1]);
  return changed ? new URLSearchParams(masked).toString() : body;
}

function maskedJson(text: string, value: unknown, redactor: Redactor): string | null {
  return deeper(value, JSON_DEPTH) ? null : redactor.maskJson(text);
}

/** The document that a text is; undefined for any other text. */
function jsonIn(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
