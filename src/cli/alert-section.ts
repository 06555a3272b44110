import { type Static, Type } from 'typebox';
import type { AlertDefinition, AlertTarget } from '../core/alert.ts';
import { ALERT_TARGETS, ALERTS, TEXT_CHARS } from '../core/limits.ts';
import { AlertFields, definitionOf, SlackTarget, targetSecret, targetUrl } from '../server/alert-shapes.ts';

const WebhookTarget = Type.Object(
  {
    webhook: targetUrl,
    secret: Type.Optional(targetSecret),
    secret_env: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        maxLength: TEXT_CHARS,
        description: 'The environment variable that holds the secret, so that the file holds none',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Alerts of the config file, by id. */
export const AlertSection = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  Type.Object(
    {
      ...AlertFields,
      name: Type.Optional(AlertFields.name),
      to: Type.Array(Type.Union([SlackTarget, WebhookTarget]), {
        maxItems: ALERT_TARGETS,
        description: 'Who is told: `slack` a channel, or `webhook` an address',
      }),
    },
    { additionalProperties: false },
  ),
  { additionalProperties: false, maxProperties: ALERTS, description: 'By id: who is told of what is logged.' },
);

export type AlertSection = Static<typeof AlertSection>;

/** The section as the way out takes it. Throws with the place and what is wrong there. */
export function configuredAlerts(
  section: AlertSection,
  {
    env,
    wrong,
  }: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly wrong: (place: string, what: string) => Error;
  },
): Readonly<Record<string, AlertDefinition>> {
  const alerts = Object.entries(section).map(([id, rule]): [string, AlertDefinition] => {
    const to = rule.to.map((target, index): AlertTarget => {
      if (!('webhook' in target)) return target;
      const { webhook, secret_env: variable, secret = variable === undefined ? undefined : env[variable] } = target;
      if (variable !== undefined && !secret) {
        throw wrong(`${id}.to.${index}.secret_env`, `expected ${variable} to be set`);
      }
      return { webhook, secret: secret ?? null };
    });
    return [id, definitionOf({ ...rule, name: rule.name ?? id, to })];
  });
  return Object.fromEntries(alerts);
}
