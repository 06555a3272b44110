import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { TrailError } from '../../core/error.ts';
import { BODY_BYTES } from '../../core/limits.ts';
import type { Receipt } from '../../inlet/webhooks/receiver.ts';
import { isFromHere } from '../auth/caller.ts';
import { keepAnyBody } from '../bodies.ts';
import type { Context, Routes } from '../context.ts';
import { answers } from '../schemas.ts';

/** Senders give up after a while and send again: before that they are told that we were not done. */
const ANSWER_MS = 700;

export const Accepted = Type.Object({ task_id: Type.String() });
export const Told = Type.Object({
  status: Type.Enum(['ignored', 'duplicate', 'approved', 'rejected']),
  task_id: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String({ description: '`no_command`, `not_allowed`, …' })),
  detail: Type.Optional(Type.String({ description: 'The same for people' })),
  challenge: Type.Optional(Type.String({ description: 'What Slack sent to see that we are here' })),
});

const about = {
  tags: ['webhooks'],
  security: [],
  response: answers({ 200: Told, 202: Accepted }),
};

/** What providers send. Each bears its own signature, over the bytes as they came. */
export const deliveryRoutes: Routes = (scope, context) => {
  keepAnyBody(scope);
  const options = {
    config: { open: true, signed: true, audit: { none: 'deliveries have a log of their own' } },
    bodyLimit: BODY_BYTES,
  };
  const provider = Type.String({ description: '`github`, `jira`, `slack`, `sentry`, or a name of your own' });
  scope.post(
    '/webhooks/:provider',
    {
      ...options,
      schema: {
        ...about,
        summary: 'Take a delivery of a built-in provider',
        params: Type.Object({ provider }),
      },
    },
    async (request, reply) => take(context, request, reply, [request.params.provider]),
  );
  scope.post(
    '/webhooks/:provider/:webhook_id',
    {
      ...options,
      schema: {
        ...about,
        summary: 'Take a delivery of a webhook',
        params: Type.Object({ provider, webhook_id: Type.String() }),
      },
    },
    async (request, reply) => take(context, request, reply, [request.params.provider, request.params.webhook_id]),
  );
};

async function take(
  { webhooks: { catalogue, receiver, mayBeUnsigned }, clock, inflow }: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  place: readonly [provider: string, webhookId?: string],
): Promise<FastifyReply> {
  const hook = await catalogue.at(...place);
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const delivery = { headers: request.headers, body, nowMs: clock.now() };
  // Without a signature a page on the web must not get in by its visitor's browser.
  const arrival = { delivery, mayBeUnsigned: mayBeUnsigned && request.foreign === null && isFromHere(request) };
  const receiving = inflow.hold(`webhook ${hook.id}`, body.byteLength, () => receiver.receive(hook, arrival));
  return answer(reply, await inTime(receiving));
}

/** What a sender is told of its delivery. */
export function answer(reply: FastifyReply, receipt: Receipt): FastifyReply {
  reply.header('cache-control', 'no-store');
  if (receipt.status === 'accepted') return reply.code(202).send({ task_id: receipt.taskId });
  if (receipt.status !== 'ignored') return reply.code(200).send({ status: receipt.status, task_id: receipt.taskId });
  const { status, reason, detail, challenge } = receipt;
  return reply.code(200).send({ status, reason, detail, ...(challenge !== undefined && { challenge }) });
}

/** A commit that takes too long goes on, and whoever sends again finds its task. */
async function inTime(receiving: Promise<Receipt>): Promise<Receipt> {
  const timer = new AbortController();
  const late = delay(ANSWER_MS, undefined, { signal: timer.signal, ref: false });
  try {
    const receipt = await Promise.race([receiving, late]);
    if (receipt) return receipt;
    receiving.catch(() => {});
    throw new TrailError('store_unavailable', 'the delivery is not committed yet; send it again');
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}
