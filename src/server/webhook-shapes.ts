import { type Static, type TSchema, Type } from 'typebox';
import type { StoreReader } from '../core/ports.ts';
import { DELIVERY_OUTCOMES, type DeliveryRecord } from '../core/webhook.ts';
import { WebhookDefinition } from '../inlet/webhooks/definition.ts';
import type { Hook } from '../inlet/webhooks/hook.ts';

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const text = orNull(Type.String());
const time = Type.String({ format: 'date-time' });
const { trigger, conditions, signature, users, commands } = WebhookDefinition.properties;

export const WebhookId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: 'The end of its URL: 1–64 of A-Z a-z 0-9 . _ - (default: one is made)',
});

const LastDelivery = Type.Object({
  n: Type.Integer(),
  received_at: time,
  outcome: Type.Enum([...DELIVERY_OUTCOMES]),
  reason: text,
  task_id: text,
});

export const Webhook = Type.Object({
  webhook_id: Type.String(),
  name: Type.String(),
  provider: Type.String(),
  origin: Type.Enum(['builtin', 'config', 'api'], { description: 'Only those of the API can be changed there' }),
  enabled: Type.Boolean(),
  configured: Type.Boolean({ description: 'Deliveries are taken: its secret is set, or none is needed' }),
  secret_set: Type.Boolean({ description: 'Without one, deliveries are refused or taken unsigned' }),
  signature: orNull(signature),
  url: Type.String(),
  trigger,
  conditions,
  users,
  commands: Type.Union([commands, Type.Array(Type.Object({}))], { description: 'Empty: the built-in command `agent`' }),
  created_at: orNull(time),
  updated_at: orNull(time),
  last_delivery: orNull(LastDelivery),
  secret: Type.Optional(orNull(Type.String({ description: 'Only in the answer that made it' }))),
});

export const Delivery = Type.Object({
  n: Type.Integer(),
  webhook_id: Type.String(),
  provider: Type.String(),
  received_at: time,
  delivery_id: text,
  event_type: text,
  sender: text,
  signature: Type.String({ description: '`valid`, `none`, or why it was refused' }),
  outcome: Type.Enum([...DELIVERY_OUTCOMES]),
  reason: text,
  detail: text,
  task_id: text,
  bytes: Type.Integer(),
  replay_of: orNull(Type.Integer()),
  replayable: Type.Boolean(),
  headers: Type.Optional(Type.Object({}, { additionalProperties: true })),
  body: Type.Optional(text),
});

interface Shown {
  readonly last: DeliveryRecord | null;
  readonly publicUrl: string | undefined;
  readonly mayBeUnsigned: boolean;
}

export function webhookOf(hook: Hook, { last, publicUrl = '', mayBeUnsigned }: Shown): Static<typeof Webhook> {
  const { id, origin, enabled, provider, secret, unsigned, users, definition, createdAt, updatedAt } = hook;
  const path = id === provider.name ? id : `${provider.name}/${id}`;
  return {
    webhook_id: id,
    name: definition?.name ?? id,
    provider: provider.name,
    ...{ origin, enabled, users: [...users] },
    configured: unsigned || secret !== null || mayBeUnsigned,
    secret_set: secret !== null,
    signature: definition?.signature ?? null,
    url: `${publicUrl}/webhooks/${path}`,
    ...(definition?.trigger !== undefined && { trigger: definition.trigger }),
    ...(definition?.conditions && { conditions: definition.conditions }),
    commands: definition?.commands ?? [],
    created_at: createdAt,
    updated_at: updatedAt,
    last_delivery: last && {
      ...{ n: last.n, received_at: last.receivedAt, outcome: last.outcome, reason: last.reason, task_id: last.taskId },
    },
  };
}

export async function lastDelivery(store: StoreReader, webhookId: string): Promise<DeliveryRecord | null> {
  const [last = null] = await store.deliveries({ webhookId, limit: 1 });
  return last;
}

/** What a list shows: without headers. */
export function deliveryOf(record: DeliveryRecord): Static<typeof Delivery> {
  const { n, provider, signature, outcome, reason, detail, bytes, replayable, sender } = record;
  return {
    ...{ n, webhook_id: record.webhookId, provider, received_at: record.receivedAt, delivery_id: record.deliveryId },
    ...{ event_type: record.eventType, sender, signature, outcome, reason, detail, task_id: record.taskId, bytes },
    ...{ replay_of: record.replayOf, replayable },
  };
}
