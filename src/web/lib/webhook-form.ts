import type { Json, JsonObject } from '../../core/entry.ts';
import type { Fault } from '../../core/error.ts';
import type { WireSignature, WireWebhook, WireWebhookCommand } from '../../core/wire-webhook.ts';
import { type ConditionDraft, conditionOf, draftOfCondition } from './webhook-condition.ts';

export const KNOWN_PROVIDERS = ['github', 'jira', 'slack', 'sentry'] as const;
export const SIGNATURE_TYPES = ['provider', 'hmac-sha256', 'bearer', 'header-token', 'none'] as const;
export type SignatureType = (typeof SIGNATURE_TYPES)[number];

/** A webhook as a person types it: every field is text or a switch. */
export interface WebhookDraft {
  webhookId: string;
  name: string;
  provider: string;
  secret: string;
  signature: SignatureType;
  header: string;
  prefix: string;
  encoding: 'hex' | 'base64';
  allowUnsigned: boolean;
  trigger: string;
  users: string;
  conditions: ConditionDraft[];
  commands: CommandDraft[];
}

export interface CommandDraft {
  name: string;
  trigger: string;
  prompt: string;
  agent: string;
  approval: boolean;
  conditions: ConditionDraft[];
  /** What the form does not show and must not lose. */
  more: JsonObject;
}

export function newCommand(): CommandDraft {
  return { name: '', trigger: '', prompt: '', agent: '', approval: false, conditions: [], more: {} };
}

export function newDraft(): WebhookDraft {
  return {
    ...{ webhookId: '', name: '', provider: 'github', secret: '', trigger: '', users: '', conditions: [] },
    ...{ signature: 'provider', header: '', prefix: '', encoding: 'hex', allowUnsigned: false },
    commands: [newCommand()],
  };
}

/** A webhook as it is, to be changed. Its secret is not known here. */
export function draftOf(webhook: WireWebhook): WebhookDraft {
  const { webhook_id: webhookId, name, provider, signature, trigger, users, conditions, commands } = webhook;
  return {
    ...newDraft(),
    ...{ webhookId, name, provider, trigger: wordsText(trigger), users: (users ?? []).join(', ') },
    ...signatureDraft(signature),
    conditions: (conditions ?? []).map(draftOfCondition),
    commands: commands.map(commandDraft),
  };
}

/** What is typed as the server takes it. What is empty is left out. */
export function definitionOf(draft: WebhookDraft): JsonObject {
  const { name, provider, secret, trigger, users, conditions, commands } = draft;
  const signature = signatureOf(draft);
  const people = listOf(users);
  return {
    name: name.trim(),
    provider: provider.trim(),
    ...(secret !== '' && { secret }),
    ...(signature && { signature: signature as unknown as JsonObject }),
    ...triggerOf(trigger),
    ...(conditions.length > 0 && { conditions: conditions.map(conditionOf) as unknown as Json }),
    ...(people.length > 0 && { users: people }),
    commands: commands.map(commandOf),
  };
}

/** What is missing before the server needs to be asked, by the place where it is. */
export function missingIn({
  name,
  provider,
  signature,
  header,
  allowUnsigned,
  commands,
  conditions,
}: WebhookDraft): Faults {
  const faults: Record<string, string> = {};
  const need = (path: string, text: string, what: string): void => {
    if (text.trim() === '') faults[path] = what;
  };
  need('name', name, 'expected a name');
  need('provider', provider, 'expected a name for the sender');
  const isKnown = (KNOWN_PROVIDERS as readonly string[]).includes(provider);
  if (signature === 'provider' && !isKnown && provider.trim() !== '') {
    faults.signature = `expected how ${provider.trim()} signs; only ${KNOWN_PROVIDERS.join(', ')} are known`;
  }
  if (signature === 'hmac-sha256' || signature === 'header-token')
    need('signature.header', header, 'expected the name of a header');
  if (signature === 'none' && !allowUnsigned)
    faults['signature.allow_unsigned'] = 'expected your word that anybody may send';
  const needPaths = (place: string, rows: readonly ConditionDraft[]): void => {
    for (const [at, { path }] of rows.entries()) need(`${place}[${at}]`, path, 'expected a path');
  };
  needPaths('conditions', conditions);
  for (const [index, command] of commands.entries()) {
    need(`commands[${index}].name`, command.name, 'expected a name');
    need(`commands[${index}].prompt`, command.prompt, 'expected what the agent is told');
    needPaths(`commands[${index}].conditions`, command.conditions);
  }
  return faults;
}

/** Faults by the place of their field, in one spelling. */
export type Faults = Readonly<Record<string, string>>;

/** The server's faults by field: `commands.0.name` and `commands[0].name` are one place, and a deeper one counts for its field. */
export function faultsByPlace(faults: readonly Fault[], places: readonly string[]): Faults {
  const found: Record<string, string> = {};
  for (const { path, detail } of faults) {
    const place = path.replace(/^body\.?/, '').replace(/\.(\d+)(?=\.|$)/g, '[$1]');
    const field = places
      .filter((known) => place === known || place.startsWith(`${known}.`) || place.startsWith(`${known}[`))
      .reduce((longest, known) => (known.length > longest.length ? known : longest), '');
    const text = field === '' ? `${place || 'the webhook'}: ${detail}` : detail;
    found[field] = found[field] ? `${found[field]}; ${text}` : text;
  }
  return found;
}

/** The places at which the form can show a fault. */
export function placesOf({ commands, conditions }: WebhookDraft): readonly string[] {
  return [
    ...[
      'webhook_id',
      'name',
      'provider',
      'secret',
      'signature',
      'signature.header',
      'signature.prefix',
      'trigger',
      'users',
    ],
    ...conditions.map((_, at) => `conditions[${at}]`),
    ...commands.flatMap((command, index) => [
      ...['name', 'trigger', 'prompt', 'agent'].map((field) => `commands[${index}].${field}`),
      ...command.conditions.map((_, at) => `commands[${index}].conditions[${at}]`),
    ]),
  ];
}

function commandDraft(command: WireWebhookCommand): CommandDraft {
  const { name, trigger, prompt = '', agent = '', approval = false, conditions, ...more } = command;
  return {
    ...{ name, prompt, agent, approval, trigger: wordsText(trigger), more: more as JsonObject },
    conditions: (conditions ?? []).map(draftOfCondition),
  };
}

function commandOf({ name, trigger, prompt, agent, approval, conditions, more }: CommandDraft): JsonObject {
  return {
    ...more,
    name: name.trim(),
    ...triggerOf(trigger),
    ...(conditions.length > 0 && { conditions: conditions.map(conditionOf) as unknown as Json }),
    prompt,
    ...(agent.trim() !== '' && { agent: agent.trim() }),
    ...(approval && { approval }),
  };
}

function signatureDraft(signature: WireSignature | null): Partial<WebhookDraft> {
  if (signature === null) return { signature: 'provider' };
  const { type } = signature;
  const header = 'header' in signature ? (signature.header ?? '') : '';
  if (type === 'hmac-sha256')
    return { signature: type, header, prefix: signature.prefix ?? '', encoding: signature.encoding };
  return { signature: type, header, allowUnsigned: type === 'none' };
}

function signatureOf({ signature: type, header, prefix, encoding }: WebhookDraft): WireSignature | undefined {
  const name = header.trim();
  switch (type) {
    case 'provider':
      return undefined;
    case 'hmac-sha256':
      return { type, header: name, ...(prefix !== '' && { prefix }), encoding };
    case 'bearer':
      return { type, ...(name !== '' && { header: name }) };
    case 'header-token':
      return { type, header: name };
    case 'none':
      return { type, allow_unsigned: true };
  }
}

function triggerOf(text: string): { trigger?: string | readonly string[] } {
  const words = listOf(text);
  const [only] = words;
  if (only === undefined) return {};
  return { trigger: words.length === 1 ? only : words };
}

function wordsText(trigger: string | readonly string[] | null | undefined): string {
  return [trigger ?? []].flat().join(', ');
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
