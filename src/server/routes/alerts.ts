import { Type } from 'typebox';
import { changedFields } from '../../core/audit.ts';
import { ROLES } from '../../core/credential.ts';
import { TrailError } from '../../core/error.ts';
import { parseTime } from '../../core/time.ts';
import {
  AlertBody,
  AlertShape,
  alertToWire,
  definitionOf,
  PreviewAnswer,
  PreviewRule,
  previewToWire,
} from '../alert-shapes.ts';
import type { Caller } from '../auth/caller.ts';
import { emptyBodyAllowed } from '../bodies.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';
import { inTurn } from '../search-stream.ts';

const tags = ['alerts'];
const admin = (audit: string) => ({ config: { role: 'admin', audit } }) as const;
const Params = Type.Object({ alert_id: Type.String() });
const AlertList = Type.Object({
  alerts: Type.Array(AlertShape),
  role: Type.Enum([...ROLES], { description: 'Yours: an admin changes alerts' }),
});
const moment = Type.Optional(Type.Union([Type.String(), Type.Number()], { description: 'A time' }));
const PreviewBody = Type.Object({ rule: PreviewRule, from: moment, to: moment }, { 'x-error': 'invalid_alert' });
const Tested = Type.Object({
  delivered: Type.Array(
    Type.Object({
      target: Type.String(),
      ok: Type.Boolean(),
      reason: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
});

/** Rules that tell somebody of what is logged: those of the config file, and those made here. */
export const alertRoutes: Routes = (scope, context) => {
  const { alerts } = context;
  scope.get(
    '/api/alerts',
    { schema: { tags, summary: 'List alerts, with how they are doing', response: answers({ 200: AlertList }) } },
    async ({ caller }, reply) => {
      const all = await alerts.all();
      const shown = all.map((alert) => alertToWire(alert, isAdmin(caller)));
      return reply.header('cache-control', 'no-store').send({ alerts: shown, role: caller?.role ?? 'reader' });
    },
  );
  scope.post(
    '/api/alerts',
    {
      ...admin('alert.create'),
      schema: { tags, summary: 'Make an alert', body: AlertBody, response: answers({ 201: AlertShape }) },
    },
    async (request, reply) => {
      const { body } = request;
      const alert = await alerts.create(body.id ?? null, definitionOf(body));
      request.audited = { id: alert.id, details: { name: body.name, query: body.query } };
      return reply.code(201).send(alertToWire(alert, true));
    },
  );
  scope.get(
    '/api/alerts/:alert_id',
    { schema: { tags, summary: 'Read an alert', params: Params, response: answers({ 200: AlertShape }) } },
    async ({ params, caller }, reply) =>
      reply.header('cache-control', 'no-store').send(alertToWire(await alerts.find(params.alert_id), isAdmin(caller))),
  );
  scope.put(
    '/api/alerts/:alert_id',
    {
      ...admin('alert.update'),
      schema: {
        tags,
        summary: 'Change an alert',
        description: 'All of it; an address without a secret keeps the one that it has, and null takes it away.',
        params: Params,
        body: AlertBody,
        response: answers({ 200: AlertShape }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { alert_id: id } = request.params;
      if (body.id !== undefined && body.id !== id) {
        const detail = `expected ${id}, got ${body.id}; an alert keeps its id`;
        throw new TrailError('invalid_alert', `id: ${detail}`, { errors: [{ path: 'id', detail }] });
      }
      const before = await alerts.find(id);
      const alert = await alerts.replace(id, definitionOf(body));
      request.audited = { details: changedFields(before.definition, alert.definition) };
      return reply.send(alertToWire(alert, true));
    },
  );
  scope.delete(
    '/api/alerts/:alert_id',
    {
      ...admin('alert.delete'),
      schema: { tags, summary: 'Delete an alert', params: Params, response: answers({ 204: Type.Null() }) },
    },
    async ({ params }, reply) => {
      await alerts.delete(params.alert_id);
      return reply.code(204).send();
    },
  );
  scope.post(
    '/api/alerts/preview',
    {
      config: { role: 'reader', audit: { none: 'nothing is changed' } },
      schema: {
        tags,
        summary: 'Say how often an alert would have fired',
        description: 'On what is stored, by default of the last 7 days. Nothing is kept, and nobody is told.',
        body: PreviewBody,
        response: answers({ 200: PreviewAnswer }),
      },
    },
    async ({ body: { rule, from, to } }, reply) => {
      const [fromMs, toMs] = [timeOf('from', from), timeOf('to', to)];
      const span = { ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) };
      const { name = 'preview', to: targets = [] } = rule;
      const definition = definitionOf({ ...rule, name, to: targets });
      // It searches, so it waits for its turn among searches.
      return inTurn(context, reply, async (signal) =>
        previewToWire(await alerts.preview(definition, { ...span, signal })),
      );
    },
  );
  scope.post(
    '/api/alerts/:alert_id/test',
    {
      ...admin('alert.test'),
      preValidation: emptyBodyAllowed,
      schema: {
        tags,
        summary: 'Send a notice that says that it is a test',
        params: Params,
        body: Type.Object({}),
        response: answers({ 200: Tested }),
      },
    },
    async ({ params }, reply) => reply.send({ delivered: [...(await alerts.test(params.alert_id))] }),
  );
};

function isAdmin(caller: Caller | null): boolean {
  return caller?.role === 'admin';
}

function timeOf(name: string, value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const iso = parseTime(value);
  if (iso !== undefined) return Date.parse(iso);
  const detail = `expected ISO 8601 or Unix milliseconds, got ${JSON.stringify(value).slice(0, 100)}`;
  throw new TrailError('invalid_alert', `${name}: ${detail}`, { errors: [{ path: name, detail }] });
}
