import { randomBytes } from 'node:crypto';
import { type Static, Type } from 'typebox';
import type { JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { newTaskId } from '../../core/id.ts';
import { isoTime } from '../../core/time.ts';
import { DELIVERY_OUTCOMES, type DeliveryOutcome, type StoredWebhook } from '../../core/webhook.ts';
import { WebhookDefinition } from '../../inlet/webhooks/definition.ts';
import { tryOut } from '../../inlet/webhooks/dry-run.ts';
import type { Hook } from '../../inlet/webhooks/hook.ts';
import type { Context, Routes } from '../context.ts';
import { ROLES } from '../parts.ts';
import { answers } from '../schemas.ts';
import { Delivery, deliveryOf, lastDelivery, Webhook, WebhookId, webhookOf } from '../webhook-shapes.ts';
import { Accepted, answer, Told } from './deliveries.ts';

const SECRET_BYTES = 32;
const tags = ['webhooks'];
const admin = { config: { role: 'admin' } } as const;
const Params = Type.Object({ webhook_id: Type.String() });
const DeliveryParams = Type.Object({ webhook_id: Type.String(), n: Type.String() });

const Body = Type.Object(
  {
    ...WebhookDefinition.properties,
    webhook_id: Type.Optional(WebhookId),
    enabled: Type.Optional(Type.Boolean({ default: true })),
  },
  { additionalProperties: false, 'x-error': 'invalid_webhook' },
);
const WebhookList = Type.Object({
  webhooks: Type.Array(Webhook),
  role: Type.Enum([...ROLES], { description: 'Yours: an admin changes webhooks, a writer replays deliveries' }),
});
const Trial = Type.Object({
  payload: Type.Object({}, { additionalProperties: true, description: 'A delivery as the provider would send it' }),
  headers: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Such as `x-github-event`' })),
});
const TrialAnswer = Type.Object({
  outcome: Type.Enum(['accepted', 'answered', 'ignored']),
  reason: Type.Union([Type.String(), Type.Null()]),
  detail: Type.Union([Type.String(), Type.Null()]),
  event_type: Type.String(),
  command: Type.Union([Type.String(), Type.Null()]),
  request: Type.Union([Type.String(), Type.Null()]),
  prompt: Type.Union([Type.String(), Type.Null()]),
  missing: Type.Array(Type.String()),
  cut: Type.Array(Type.String()),
});

/** Webhooks: the built-in ones, those of the config file, and those made here. */
export const webhookRoutes: Routes = (scope, context) => {
  const { catalogue } = context.webhooks;
  scope.get(
    '/api/webhooks',
    {
      schema: {
        tags,
        summary: 'List webhooks',
        response: answers({ 200: WebhookList }),
      },
    },
    async ({ caller }, reply) => {
      const hooks = await catalogue.all();
      const shown = hooks.map(async (hook) => shownOf(context, hook));
      const role = caller?.role ?? 'reader';
      return reply.header('cache-control', 'no-store').send({ webhooks: await Promise.all(shown), role });
    },
  );
  scope.post(
    '/api/webhooks',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Make a webhook',
        description:
          'The answer shows its secret, this once. Without one in the body a secret is made where one is needed.',
        body: Body,
        response: answers({ 201: Webhook }),
      },
    },
    async ({ body }, reply) => {
      const webhookId = body.webhook_id ?? newTaskId().replace('task-', 'wh-').toLowerCase();
      if ((await catalogue.all()).some(({ id }) => id === webhookId)) {
        catalogue.checkChangeable(webhookId);
        throw new TrailError('webhook_exists', `the webhook ${webhookId} exists already; choose another id`);
      }
      const made = body.signature?.type === 'none' ? null : randomBytes(SECRET_BYTES).toString('base64url');
      const now = isoTime(context.clock.now());
      const hook = await catalogue.save(
        storedOf(body, { webhookId, secret: body.secret ?? made, createdAt: now, updatedAt: now }),
      );
      const webhook = await shownOf(context, hook);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...webhook, secret: hook.secret });
    },
  );
  scope.get(
    '/api/webhooks/:webhook_id',
    { schema: { tags, summary: 'Read a webhook', params: Params, response: answers({ 200: Webhook }) } },
    async ({ params }, reply) => reply.send(await shownOf(context, await catalogue.find(params.webhook_id))),
  );
  scope.put(
    '/api/webhooks/:webhook_id',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Change a webhook',
        description: 'All of its definition; without a secret it keeps the one that it has.',
        params: Params,
        body: Body,
        response: answers({ 200: Webhook }),
      },
    },
    async ({ params: { webhook_id: webhookId }, body }, reply) => {
      catalogue.checkChangeable(webhookId);
      const { secret, createdAt, enabled } = await catalogue.find(webhookId);
      const now = isoTime(context.clock.now());
      const facts = { webhookId, secret: body.secret ?? secret, createdAt: createdAt ?? now, updatedAt: now };
      return reply.send(await shownOf(context, await catalogue.save(storedOf({ enabled, ...body }, facts))));
    },
  );
  scope.delete(
    '/api/webhooks/:webhook_id',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Delete a webhook and its delivery log',
        params: Params,
        response: answers({ 204: Type.Null() }),
      },
    },
    async ({ params }, reply) => {
      await catalogue.delete(params.webhook_id);
      return reply.code(204).send();
    },
  );
  for (const [action, enabled] of Object.entries({ enable: true, disable: false })) {
    scope.post(
      `/api/webhooks/:webhook_id/${action}`,
      {
        ...admin,
        schema: {
          tags,
          summary: `Switch a webhook ${enabled ? 'on' : 'off'}`,
          params: Params,
          response: answers({ 200: Webhook }),
        },
      },
      async ({ params }, reply) => {
        catalogue.checkChangeable(params.webhook_id);
        const hook = await catalogue.find(params.webhook_id);
        const updatedAt = isoTime(context.clock.now());
        return reply.send(await shownOf(context, await catalogue.save({ ...storedHook(hook), enabled, updatedAt })));
      },
    );
  }
  scope.post(
    '/api/webhooks/:webhook_id/test',
    {
      config: { role: 'reader' },
      schema: {
        tags,
        summary: 'Say what a delivery would start',
        description: 'Nothing is stored, and nothing started.',
        params: Params,
        body: Trial,
        response: answers({ 200: TrialAnswer }),
      },
    },
    async ({ params, body }, reply) => {
      const hook = await catalogue.find(params.webhook_id);
      return reply.send(tryOut(hook, { ...body, nowMs: context.clock.now() }));
    },
  );
};

const DeliveryQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 50 })),
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'next_before of the answer before' })),
  outcome: Type.Optional(
    Type.Array(Type.String(), { description: `Only these, by comma: ${DELIVERY_OUTCOMES.join(', ')}` }),
  ),
});
const DeliveryList = Type.Object({
  deliveries: Type.Array(Delivery),
  next_before: Type.Union([Type.Integer(), Type.Null()], { description: 'null: these were the last' }),
});

/** What came in, and why nothing ran. */
export const deliveryLogRoutes: Routes = (scope, { store, webhooks: { catalogue, receiver } }) => {
  const find = async ({ webhook_id, n }: Static<typeof DeliveryParams>): Promise<{ hook: Hook; n: number }> => {
    if (!/^\d{1,15}$/.test(n))
      throw new TrailError(
        'invalid_parameter',
        `n: expected the number of a delivery, got ${JSON.stringify(n.slice(0, 50))}`,
      );
    return { hook: await catalogue.find(webhook_id), n: Number(n) };
  };
  scope.get(
    '/api/webhooks/:webhook_id/deliveries',
    {
      schema: {
        tags,
        summary: 'List deliveries, newest first',
        params: Params,
        querystring: DeliveryQuery,
        response: answers({ 200: DeliveryList }),
      },
    },
    async ({ params, query: { limit = 50, before, outcome } }, reply) => {
      const { id: webhookId } = await catalogue.find(params.webhook_id);
      const outcomes = outcome?.flatMap((part) => part.split(',')).map(outcomeOf);
      const wanted = { webhookId, limit: limit + 1, ...(before && { before }), ...(outcomes && { outcomes }) };
      const found = await store.deliveries(wanted);
      const shown = found.slice(0, limit);
      const next = found.length > limit ? (shown.at(-1)?.n ?? null) : null;
      return reply.header('cache-control', 'no-store').send({ deliveries: shown.map(deliveryOf), next_before: next });
    },
  );
  scope.get(
    '/api/webhooks/:webhook_id/deliveries/:n',
    {
      schema: {
        tags,
        summary: 'Read a delivery as it came, masked',
        params: DeliveryParams,
        response: answers({ 200: Delivery }),
      },
    },
    async ({ params }, reply) => {
      const { hook, n } = await find(params);
      const delivery = await store.delivery(n);
      if (delivery.webhookId !== hook.id) {
        throw new TrailError('delivery_not_found', `the webhook ${hook.id} has no delivery ${n}`);
      }
      return reply.send({ ...deliveryOf(delivery), headers: delivery.headers, body: delivery.body });
    },
  );
  scope.post(
    '/api/webhooks/:webhook_id/deliveries/:n/replay',
    {
      schema: {
        tags,
        summary: 'Take a delivery again, with what the webhook says now',
        params: DeliveryParams,
        response: answers({ 200: Told, 202: Accepted }),
      },
    },
    async ({ params }, reply) => {
      const { hook, n } = await find(params);
      return answer(reply, await receiver.replay(hook, n));
    },
  );
};

function outcomeOf(text: string): DeliveryOutcome {
  const outcome = DELIVERY_OUTCOMES.find((known) => known === text.trim());
  if (outcome) return outcome;
  const shown = JSON.stringify(text.slice(0, 50));
  throw new TrailError('invalid_parameter', `outcome: expected ${DELIVERY_OUTCOMES.join(', ')}; got ${shown}`);
}

async function shownOf(context: Context, hook: Hook): Promise<Static<typeof Webhook>> {
  const last = await lastDelivery(context.store, hook.id);
  return webhookOf(hook, {
    last,
    publicUrl: context.settings.publicUrl,
    mayBeUnsigned: context.webhooks.mayBeUnsigned,
  });
}

type Facts = Pick<StoredWebhook, 'webhookId' | 'secret' | 'createdAt' | 'updatedAt'>;

function storedOf(body: Static<typeof Body>, facts: Facts): StoredWebhook {
  const { webhook_id: _, enabled = true, secret: _secret, ...definition } = body;
  return { ...facts, enabled, definition: definition as JsonObject };
}

function storedHook({ id, enabled, definition, secret, createdAt, updatedAt }: Hook): StoredWebhook {
  const times = { createdAt: createdAt ?? '', updatedAt: updatedAt ?? '' };
  return { webhookId: id, enabled, secret, ...times, definition: definition as unknown as JsonObject };
}
