import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import type { DeliveryDraft, StoredWebhook } from '../core/webhook.ts';
import type { Redactor } from './redact.ts';

const TEXTS = ['deliveryId', 'eventType', 'sender', 'reason', 'detail'] as const;

/** The same delivery with every secret in it masked. A body that is JSON stays JSON. */
export function maskedDelivery(delivery: DeliveryDraft, redactor: Redactor): DeliveryDraft {
  const masked = TEXTS.map((name) => [name, delivery[name] === null ? null : redactor.mask(delivery[name])]);
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

function maskedBody(body: string, redactor: Redactor): string {
  if (isJson(body)) return redactor.maskJson(body);
  return maskedForm(body, redactor) ?? redactor.mask(body);
}

/** What a form holds is escaped, so that a secret may look different from what it is. */
function maskedForm(body: string, redactor: Redactor): string | undefined {
  const fields = [...new URLSearchParams(body)];
  if (fields.length === 0 || fields.every(([, value]) => value === '')) return undefined;
  const masked = fields.map(([name, value]): [string, string] => [
    redactor.mask(name),
    isJson(value) ? redactor.maskJson(value) : redactor.mask(value),
  ]);
  const changed = masked.some(([name, value], index) => name !== fields[index]?.[0] || value !== fields[index]?.[1]);
  return changed ? new URLSearchParams(masked).toString() : body;
}

function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
