import { type Static, Type } from 'typebox';
import { TrailError } from '../../core/error.ts';
import { DELIVERY_OUTCOMES, type DeliveryOutcome } from '../../core/webhook.ts';
import type { Hook } from '../../inlet/webhooks/hook.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';
import { Delivery, deliveryOf } from '../webhook-shapes.ts';
import { Accepted, answer, Told } from './deliveries.ts';

const tags = ['webhooks'];
const Params = Type.Object({ webhook_id: Type.String() });
const DeliveryParams = Type.Object({ webhook_id: Type.String(), n: Type.String() });
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
      config: { audit: 'webhook.replay' },
      schema: {
        tags,
        summary: 'Take a delivery again, with what the webhook says now',
        params: DeliveryParams,
        response: answers({ 200: Told, 202: Accepted }),
      },
    },
    async (request, reply) => {
      const { hook, n } = await find(request.params);
      const receipt = await receiver.replay(hook, n);
      request.audited = { details: { delivery: n, status: receipt.status } };
      return answer(reply, receipt);
    },
  );
};

function outcomeOf(text: string): DeliveryOutcome {
  const outcome = DELIVERY_OUTCOMES.find((known) => known === text.trim());
  if (outcome) return outcome;
  const shown = JSON.stringify(text.slice(0, 50));
  throw new TrailError('invalid_parameter', `outcome: expected ${DELIVERY_OUTCOMES.join(', ')}; got ${shown}`);
}
