import { cutText } from '../../core/text.ts';
import { type Delivery, headerWord, readPayload } from './delivery.ts';
import { at, type Fields, textAt, told, wordAt } from './fields.ts';
import type { Origin, Provider, WebhookEvent } from './provider.ts';
import { type SignatureScheme, verifyScheme } from './signature.ts';
import { spokenMarkdown } from './spoken.ts';
import { titleOf, words } from './text.ts';

/** Headers by which senders name a delivery, the usual ones first: Standard Webhooks, CloudEvents, GitLab, and plain ones. */
const ID_HEADERS = ['webhook-id', 'ce-id', 'x-gitlab-event-uuid', 'x-delivery-id', 'idempotency-key', 'request-id'];
/** Where senders put what they say. */
const TEXTS = ['message', 'text', 'body', 'description', 'title', 'summary'];

/** Any sender of JSON, signed as a scheme says: what webhooks made at run time are for. */
export function customProvider(name: string, scheme: SignatureScheme): Provider {
  return {
    name,
    verify: async (delivery, secret) => verifyScheme(scheme, delivery, secret),
    read: (delivery, origin) => read(name, delivery, origin),
  };
}

function read(provider: string, delivery: Delivery, origin: Origin = {}): WebhookEvent {
  const payload = readPayload(delivery);
  const eventType = cutText(textAt(payload, 'event') ?? textAt(payload, 'type') ?? 'unknown', 200);
  const deliveryId = ID_HEADERS.map((name) => headerWord(delivery, name)).find((id) => id !== null) ?? null;
  const { cut, ...text } = words(saidIn(payload), spokenMarkdown);
  return {
    provider,
    deliveryId,
    eventType,
    kind: 'alert',
    isNew: true,
    sender: null,
    ...text,
    title: titleOf(textAt(payload, 'title') ?? text.message),
    sourceMetadata: {
      provider,
      event_type: eventType,
      webhook_id: origin.webhookId ?? null,
      ...told<string | boolean>({
        delivery_id: deliveryId,
        message_cut: cut || null,
        repo: wordAt(payload, 'repo') ?? wordAt(payload, 'repository') ?? wordAt(payload, 'repository', 'full_name'),
      }),
    },
    payload,
  };
}

function saidIn(payload: Fields): string {
  return (
    (TEXTS.map((name) => at(payload, name)).find((held) => typeof held === 'string' && held !== '') as string) ?? ''
  );
}
