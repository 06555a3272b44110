import { randomBytes } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { changedFields } from '../../core/audit.ts';
import { ROLES } from '../../core/credential.ts';
import type { JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { newTaskId } from '../../core/id.ts';
import { isoTime } from '../../core/time.ts';
import { type StoredWebhook, webhookExists } from '../../core/webhook.ts';
import { WebhookDefinition } from '../../inlet/webhooks/definition.ts';
import { tryOut } from '../../inlet/webhooks/dry-run.ts';
import type { Hook } from '../../inlet/webhooks/hook.ts';
import type { Context, Routes } from '../context.ts';
import { answers } from '../schemas.ts';
import { lastDelivery, Webhook, WebhookId, webhookOf } from '../webhook-shapes.ts';

const SECRET_BYTES = 32;
const tags = ['webhooks'];
const admin = (audit: string) => ({ config: { role: 'admin', audit } }) as const;
const Params = Type.Object({ webhook_id: Type.String() });

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
      ...admin('webhook.create'),
      schema: {
        tags,
        summary: 'Make a webhook',
        description:
          'The answer shows its secret, this once. Without one in the body a secret is made where one is needed.',
        body: Body,
        response: answers({ 201: Webhook }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const webhookId = body.webhook_id ?? newTaskId().replace('task-', 'wh-').toLowerCase();
      if ((await catalogue.all()).some(({ id }) => id === webhookId)) {
        catalogue.checkChangeable(webhookId);
        throw webhookExists(webhookId);
      }
      checkAgents(context, body);
      const made = newSecret(body);
      const now = isoTime(context.clock.now());
      const hook = await catalogue.make(
        storedOf(body, { webhookId, secret: body.secret ?? made, createdAt: now, updatedAt: now }),
      );
      const webhook = await shownOf(context, hook);
      request.audited = { id: webhookId, details: { provider: hook.provider.name } };
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
      ...admin('webhook.update'),
      schema: {
        tags,
        summary: 'Change a webhook',
        description: 'All of its definition; without a secret it keeps the one that it has.',
        params: Params,
        body: Body,
        response: answers({ 200: Webhook }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { webhook_id: webhookId } = request.params;
      catalogue.checkChangeable(webhookId);
      const hook = await catalogue.find(webhookId);
      const { secret, createdAt, enabled } = hook;
      const now = isoTime(context.clock.now());
      // One that needed none until now gets one, which is shown like that of a new webhook.
      const made = secret === null && body.secret === undefined ? newSecret(body) : null;
      const facts = { webhookId, secret: body.secret ?? secret ?? made, createdAt: createdAt ?? now, updatedAt: now };
      checkAgents(context, body);
      const changed = storedOf({ enabled, ...body }, facts);
      const webhook = await shownOf(context, await catalogue.change(changed));
      request.audited = { details: changedFields(fieldsOf(storedHook(hook)), fieldsOf(changed)) };
      return reply.header('cache-control', 'no-store').send(made === null ? webhook : { ...webhook, secret: made });
    },
  );
  scope.delete(
    '/api/webhooks/:webhook_id',
    {
      ...admin('webhook.delete'),
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
        ...admin(`webhook.${action}`),
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
        return reply.send(await shownOf(context, await catalogue.change({ ...storedHook(hook), enabled, updatedAt })));
      },
    );
  }
  scope.post(
    '/api/webhooks/:webhook_id/test',
    {
      config: { role: 'reader', audit: { none: 'nothing is changed' } },
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

async function shownOf(context: Context, hook: Hook): Promise<Static<typeof Webhook>> {
  const last = await lastDelivery(context.store, hook.id);
  return webhookOf(hook, {
    last,
    publicUrl: context.settings.publicUrl,
    mayBeUnsigned: context.webhooks.mayBeUnsigned,
  });
}

/** A secret for what needs one. */
function newSecret({ signature }: Static<typeof Body>): string | null {
  return signature?.type === 'none' ? null : randomBytes(SECRET_BYTES).toString('base64url');
}

/** Better now than at the first delivery. Throws `invalid_webhook` that names each place. */
function checkAgents({ tasks }: Context, { commands }: Static<typeof Body>): void {
  const known = new Set(['default', ...tasks.agents().map(({ id }) => id)]);
  const errors = commands.flatMap(({ agent, planner }, index) =>
    Object.entries({ agent, planner }).flatMap(([key, name]) =>
      name === undefined || known.has(name)
        ? []
        : [{ path: `commands[${index}].${key}`, detail: `expected one of ${[...known].join(', ')}; got ${name}` }],
    ),
  );
  const [first] = errors;
  if (first) throw new TrailError('invalid_webhook', `${first.path}: ${first.detail}`, { errors });
}

/** What a record of a change compares. */
function fieldsOf({ enabled, secret, definition }: StoredWebhook): object {
  return { ...definition, enabled, secret };
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
