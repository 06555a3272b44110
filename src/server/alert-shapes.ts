import { type Static, type TSchema, Type } from 'typebox';
import {
  ALERT_SEVERITIES,
  ALERT_SUBJECTS,
  type Alert,
  type AlertDefinition,
  type AlertPreview,
  type AlertTarget,
} from '../core/alert.ts';
import { ALERT_TARGETS, SEARCH_CHARS, TEXT_CHARS } from '../core/limits.ts';
import { toSnake } from '../core/wire.ts';

/*
 * The shape of a rule, once: the routes check with it, and so does the config file. What a shape cannot say (queries, addresses) is
 * checked where rules are compiled.
 */

const WINDOW_SECONDS = 300;
const WINDOW_SECONDS_MAX = 24 * 60 * 60;
const COOL_DOWN_SECONDS = 900;
const COOL_DOWN_SECONDS_MAX = 7 * 24 * 60 * 60;
const THRESHOLD_MAX = 1_000_000;
const SECRET_CHARS = 8;

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });
const count = Type.Integer({ minimum: 0 });

export const AlertId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  description: '1–64 of A-Z a-z 0-9 . _ - (default: one is made)',
});
export const SlackTarget = Type.Object(
  {
    slack: Type.String({
      pattern: '^[A-Za-z0-9#@._-]{1,100}$',
      description: 'A channel, or `webhook` for that of SLACK_WEBHOOK_URL',
    }),
  },
  { additionalProperties: false },
);
const address = { maxLength: TEXT_CHARS, description: 'Where notices are posted to as JSON' };
export const targetUrl = Type.String({ pattern: '^[Hh][Tt][Tt][Pp][Ss]?://', ...address });
export const targetSecret = Type.String({
  minLength: SECRET_CHARS,
  maxLength: TEXT_CHARS,
  description: 'Signs them: `X-Tasktrail-Signature: sha256=…`, HMAC-SHA256 of the body. Never shown again',
});
const WebhookTarget = Type.Object(
  // What else is no address is said where rules are compiled.
  { webhook: Type.String(address), secret: Type.Optional(orNull(targetSecret)) },
  { additionalProperties: false },
);
export const AlertFields = {
  name: Type.String({ minLength: 1, maxLength: 200, description: 'For people' }),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  on: Type.Optional(
    Type.Enum([...ALERT_SUBJECTS], {
      default: 'lines',
      description: '`lines`: counts lines that match; `task`: tasks that come to match, each once',
    }),
  ),
  query: Type.String({ minLength: 1, maxLength: SEARCH_CHARS, description: 'What it looks for, see docs/query.md' }),
  threshold: Type.Optional(
    Type.Integer({ minimum: 1, maximum: THRESHOLD_MAX, default: 1, description: 'It fires when so many matched' }),
  ),
  window_seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: WINDOW_SECONDS_MAX, default: WINDOW_SECONDS, description: 'Within this time' }),
  ),
  cool_down_seconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: COOL_DOWN_SECONDS_MAX,
      default: COOL_DOWN_SECONDS,
      description: 'So long it does not fire again',
    }),
  ),
  severity: Type.Optional(Type.Enum([...ALERT_SEVERITIES], { default: 'warning' })),
  to: Type.Array(Type.Union([SlackTarget, WebhookTarget]), { maxItems: ALERT_TARGETS, description: 'Who is told' }),
};

export const AlertBody = Type.Object(
  { id: Type.Optional(AlertId), ...AlertFields },
  { additionalProperties: false, 'x-error': 'invalid_alert' },
);
/** What a preview asks of a rule: whom it would tell does not matter. */
export const PreviewRule = Type.Object(
  {
    ...AlertFields,
    id: Type.Optional(AlertId),
    name: Type.Optional(AlertFields.name),
    to: Type.Optional(AlertFields.to),
  },
  { additionalProperties: false },
);

const ShownTarget = Type.Union([
  Type.Object({ slack: Type.String() }),
  Type.Object({
    webhook: Type.String({ description: 'To an admin the whole address, to others only where it leads' }),
    secret_set: Type.Boolean(),
  }),
]);
export const AlertShape = Type.Object({
  id: Type.String(),
  fixed: Type.Boolean({ description: 'It stands in the config file, and only there it can be changed' }),
  name: Type.String(),
  enabled: Type.Boolean(),
  on: Type.Enum([...ALERT_SUBJECTS]),
  query: Type.String(),
  threshold: count,
  window_seconds: count,
  cool_down_seconds: count,
  severity: Type.Enum([...ALERT_SEVERITIES]),
  to: Type.Array(ShownTarget),
  created_at: orNull(time),
  updated_at: orNull(time),
  state: Type.Object({
    last_fired_at: orNull(time),
    fired: count,
    count: Type.Integer({ minimum: 0, description: 'What matched within the window, since it fired last' }),
    cool_down_until: orNull(time),
    last_fault: orNull(Type.Object({ at: time, reason: Type.String() })),
    dropped: Type.Integer({ minimum: 0, description: 'Notices that went nowhere' }),
  }),
});
export const PreviewAnswer = Type.Object({
  fired: Type.Array(Type.Object({ at: time, count })),
  fired_total: count,
  matches: count,
  from: time,
  to: time,
  complete: Type.Boolean({ description: 'False: the time was up, and the older part was not looked at' }),
});

type AlertInput = Omit<Static<typeof AlertBody>, 'to'> & { readonly to: readonly AlertTarget[] };

/** With its defaults. */
export function definitionOf(body: AlertInput): AlertDefinition {
  const { name, query, to, enabled = true, on = 'lines', threshold = 1, severity = 'warning' } = body;
  const { window_seconds: windowSeconds = WINDOW_SECONDS, cool_down_seconds: coolDownSeconds = COOL_DOWN_SECONDS } =
    body;
  return { name, enabled, on, query, threshold, windowSeconds, coolDownSeconds, severity, to };
}

export function alertToWire(alert: Alert, isAdmin: boolean): Static<typeof AlertShape> {
  const { to, ...definition } = alert.definition;
  return {
    ...{ id: alert.id, fixed: alert.fixed, ...toSnake(definition) },
    to: to.map((target) => shownTarget(target, isAdmin)),
    ...{ created_at: alert.createdAt, updated_at: alert.updatedAt, state: toSnake(alert.state) },
  };
}

export function previewToWire({ fired, ...preview }: AlertPreview): Static<typeof PreviewAnswer> {
  return { ...toSnake(preview), fired: [...fired] };
}

function shownTarget(target: AlertTarget, isAdmin: boolean): Static<typeof ShownTarget> {
  if ('slack' in target) return target;
  const { webhook, secret } = target;
  // Who knows the path of such an address may often post there.
  return { webhook: isAdmin ? webhook : (URL.parse(webhook)?.origin ?? ''), secret_set: Boolean(secret) };
}
