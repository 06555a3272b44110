import { type Static, Type } from 'typebox';
import { TEXT_CHARS } from '../core/limits.ts';
import type { ConfiguredWebhook } from '../inlet/webhooks/catalogue.ts';
import { WebhookDefinition } from '../inlet/webhooks/definition.ts';
import { PROVIDERS } from '../inlet/webhooks/webhook.ts';

const { name, provider, commands, ...optional } = WebhookDefinition.properties;

const Webhook = Type.Object(
  {
    ...optional,
    name: Type.Optional(name),
    provider: Type.Optional(provider),
    commands: Type.Optional(commands),
    secret_env: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        maxLength: TEXT_CHARS,
        description: 'The environment variable that holds its secret, so that the file holds none',
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'What a webhook starts. For `github`, `jira`, `slack` and `sentry` it may be some of it, as `users` alone.',
  },
);

/** Webhooks of the config file, by id: the end of their URL. */
export const WebhookSection = Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }), Webhook, {
  additionalProperties: false,
  description:
    'By id. The name of a built-in provider replaces its commands; any other answers at `/webhooks/{provider}/{id}`.',
});

export type WebhookSection = Static<typeof WebhookSection>;

/** The section as the catalogue takes it. Throws with the place and what is wrong there. */
export function configuredWebhooks(
  section: WebhookSection,
  {
    env,
    wrong,
  }: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly wrong: (place: string, what: string) => Error;
  },
): Readonly<Record<string, ConfiguredWebhook>> {
  const webhooks = Object.entries(section).map(([id, webhook]): [string, ConfiguredWebhook] => {
    const { secret_env: variable, secret: written, commands: given, users, ...rest } = webhook;
    const builtIn = PROVIDERS.has(id);
    const secret = written ?? (variable === undefined ? undefined : env[variable]) ?? null;
    if (variable !== undefined && !env[variable]) throw wrong(`${id}.secret_env`, `expected ${variable} to be set`);
    if (given === undefined) {
      if (!builtIn) throw wrong(`${id}.commands`, 'expected at least one command');
      if (rest.trigger !== undefined || rest.conditions !== undefined || rest.signature !== undefined) {
        throw wrong(`${id}.commands`, 'expected at least one command beside a trigger, conditions or a signature');
      }
      return [id, { definition: null, secret, ...(users && { users }) }];
    }
    const of = rest.provider ?? (builtIn ? id : undefined);
    if (of === undefined) throw wrong(`${id}.provider`, 'expected whose deliveries they are');
    if (builtIn && of !== id) throw wrong(`${id}.provider`, `expected ${id}, got ${of}; choose another id`);
    const definition = { name: id, ...rest, provider: of, commands: given, ...(users && { users }) };
    const signed = definition.signature?.type !== 'none';
    if (!builtIn && signed && secret === null) throw wrong(`${id}.secret_env`, 'expected a secret, or where it is');
    return [id, { definition, secret }];
  });
  return Object.fromEntries(webhooks);
}
