import { type Static, Type } from 'typebox';
import { TEXT_CHARS, WEBHOOK_COMMANDS, WEBHOOK_TEMPLATE_CHARS, WEBHOOK_WORD_CHARS } from '../../core/limits.ts';
import { Conditions } from './condition.ts';
import { SignatureScheme } from './signature.ts';

/*
 * The shape of a webhook made at run time, once: the routes check with it, the config file checks with it, and both are typed by
 * it. What a shape cannot say (paths, patterns, templates) `compileWebhook` checks.
 */

const name = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    description: `${description}: 1–64 of A-Z a-z 0-9 . _ -`,
  });

const TriggerWord = Type.String({
  pattern: '^(?:[/@][A-Za-z0-9][A-Za-z0-9_-]{0,49}|[A-Za-z0-9_*][A-Za-z0-9_.:*/-]{0,99})$',
  description: 'A word that somebody says, `/review` or `@agent`, or a type of event, `issues.opened` or `issues.*`',
});
const Trigger = Type.Union([TriggerWord, Type.Array(TriggerWord, { minItems: 1, maxItems: 50 })]);

/** What of the payload could become part of a command line: nothing. There are no places in it. */
const WebhookWorkspace = Type.Object(
  {
    repo: Type.String({ minLength: 1, maxLength: TEXT_CHARS, description: 'What `git clone` takes' }),
    ref: Type.Optional(
      Type.String({ minLength: 1, maxLength: WEBHOOK_WORD_CHARS, description: 'A branch or tag (default: its own)' }),
    ),
    prepare: Type.Optional(
      Type.Array(Type.Array(Type.String({ maxLength: TEXT_CHARS }), { minItems: 1, maxItems: 100 }), {
        maxItems: 20,
        description: 'Programs with their arguments, run in it before the agent',
      }),
    ),
  },
  { additionalProperties: false, description: 'The repository that the agent works in (default: an empty directory)' },
);

export const WebhookCommand = Type.Object(
  {
    name: name('What it is called'),
    trigger: Type.Optional(Trigger),
    conditions: Type.Optional(Conditions),
    prompt: Type.String({
      minLength: 1,
      maxLength: WEBHOOK_TEMPLATE_CHARS,
      description:
        'What the agent is told, with places `{{issue.title}}` of the payload; `{{tasktrail.request}}` is what stands after the trigger word',
    }),
    agent: Type.Optional(name('Which agent (default `default`)')),
    approval: Type.Optional(Type.Boolean({ description: 'Plan first, and wait for a person (default false)' })),
    planner: Type.Optional(name('Which agent makes the plan (default the same one)')),
    retries: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10, description: 'How often it is tried again when it failed (default 0)' }),
    ),
    workspace: Type.Optional(WebhookWorkspace),
    priority: Type.Optional(
      Type.Integer({ minimum: -1_000, maximum: 1_000, description: 'Greater goes first (default 0)' }),
    ),
  },
  { additionalProperties: false },
);
export type WebhookCommand = Static<typeof WebhookCommand>;

export const WebhookDefinition = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: TEXT_CHARS, description: 'For people' }),
    provider: Type.String({
      pattern: '^[a-z][a-z0-9_-]{0,63}$',
      description: '`github`, `jira`, `slack`, `sentry`, or a name of your own',
    }),
    secret: Type.Optional(Type.String({ minLength: 8, maxLength: TEXT_CHARS, description: 'Shown once' })),
    signature: Type.Optional(SignatureScheme),
    trigger: Type.Optional(Trigger),
    conditions: Type.Optional(Conditions),
    users: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: WEBHOOK_WORD_CHARS }), {
        maxItems: 1_000,
        description: 'Who may start it: ids, or logins of GitHub (default members)',
      }),
    ),
    commands: Type.Array(WebhookCommand, { minItems: 1, maxItems: WEBHOOK_COMMANDS }),
  },
  { additionalProperties: false },
);
export type WebhookDefinition = Static<typeof WebhookDefinition>;
