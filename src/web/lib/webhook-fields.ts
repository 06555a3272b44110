import type { Field } from './form.ts';
import { KNOWN_PROVIDERS, SIGNATURE_TYPES } from './webhook-form.ts';

/** The fields of the form that makes or changes a webhook. */
export const FIELDS = {
  webhookId: text('webhook_id', 'Id', 'the end of its URL; empty: one is made'),
  name: text('name', 'Name', '', { required: true }),
  provider: choice(
    'provider',
    'Sender',
    [...KNOWN_PROVIDERS, 'other'],
    ['GitHub', 'Jira', 'Slack', 'Sentry', 'Another one'],
  ),
  otherProvider: text('provider', 'Name of the sender', 'a-z 0-9 _ -', { required: true }),
  signature: choice('signature', 'How its deliveries are signed', SIGNATURE_TYPES, [
    'As the sender is known to do',
    'HMAC-SHA256 of the body, in a header',
    'The secret as a bearer token',
    'The secret in a header',
    'Not at all',
  ]),
  header: text('header', 'Header', 'such as X-Signature', { required: true }),
  bearerHeader: text('header', 'Header', 'default Authorization'),
  prefix: text('prefix', 'Before the digest', 'such as sha256='),
  encoding: choice('encoding', 'Digest as', ['hex', 'base64']),
  allowUnsigned: field('allow_unsigned', 'Anybody who knows the URL may start its commands', 'boolean', ''),
  secret: text('secret', 'Secret', 'at least 8 characters; empty: one is made and shown once'),
  keptSecret: text('secret', 'New secret', 'at least 8 characters; empty: the old one stays'),
  trigger: text(
    'trigger',
    'Trigger of all commands',
    'words such as /review, or types of events such as issues.opened, by comma; empty: any',
  ),
  users: text('users', 'Who may start it', 'ids or logins, by comma; empty: members'),
  commandName: text('name', 'Name', '', { required: true }),
  commandTrigger: text(
    'trigger',
    'Trigger',
    'a word such as /review, or a type of event such as issues.*, by comma; empty: any',
  ),
  prompt: {
    ...field(
      'prompt',
      'What the agent is told',
      'longtext',
      'with places such as {{issue.title}} and {{tasktrail.request}}',
    ),
    required: true,
  },
  agent: text('agent', 'Agent', 'empty: the one named default'),
  approval: field('approval', 'Plan first, and wait for approval', 'boolean', ''),
} as const;

/** The agents of the server to choose from, and the one that is chosen though it is not there. Where none is known it is typed. */
export function agentField(agents: readonly { readonly id: string; readonly name: string }[], chosen: string): Field {
  if (agents.length === 0) return FIELDS.agent;
  const ids = agents.map(({ id }) => id);
  const words = agents.map(({ id, name }) => (id === name ? id : `${name} (${id})`));
  const isAway = chosen !== '' && !ids.includes(chosen);
  return {
    ...FIELDS.agent,
    kind: 'choice',
    choices: isAway ? [...ids, chosen] : ids,
    words: isAway ? [...words, `${chosen} (not on this server)`] : words,
  };
}

function text(name: string, label: string, help: string, more: { readonly required?: boolean } = {}): Field {
  return { ...field(name, label, 'text', help), ...more };
}

function choice(name: string, label: string, choices: readonly string[], words: readonly string[] = choices): Field {
  return { ...field(name, label, 'choice', ''), required: true, initial: JSON.stringify(choices[0]), choices, words };
}

function field(name: string, label: string, kind: Field['kind'], help: string): Field {
  return {
    ...{ name, label, help, kind },
    required: false,
    initial: '',
    choices: [],
    min: undefined,
    max: undefined,
    whole: false,
  };
}
