import type { WebhookCommand, WebhookDefinition } from './definition.ts';
import { type Ignored, matchBuiltIn } from './match.ts';
import { builtInPrompt } from './prompt.ts';
import type { Answer, Provider, WebhookEvent } from './provider.ts';
import { compileWebhook, PROVIDERS } from './webhook.ts';

/** A webhook that deliveries come to, wherever it was made. */
export interface Hook {
  /** The name of a provider, or the id in its URL. */
  readonly id: string;
  readonly origin: 'builtin' | 'config' | 'api';
  readonly enabled: boolean;
  readonly provider: Provider;
  /** Null: none is set, or none is needed. */
  readonly secret: string | null;
  /** Anybody who knows the URL may send. */
  readonly unsigned: boolean;
  /** Who may start an agent, where not all members may. */
  readonly users: readonly string[];
  /** Null for a built-in provider whose commands the config does not name. */
  readonly definition: WebhookDefinition | null;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  /** What a delivery asks for. Never throws. */
  asks(event: WebhookEvent): Asked;
}

/** What a delivery asks for, with the prompt ready. */
export type Asked = Wanted | { readonly kind: 'answer'; readonly answer: Answer } | Ignored;

export interface Wanted {
  readonly kind: 'command';
  readonly command: Omit<WebhookCommand, 'prompt'>;
  readonly request: string;
  readonly prompt: string;
  /** Places of the template that the payload does not have, and those that were too long. */
  readonly missing: readonly string[];
  readonly cut: readonly string[];
}

type HookFacts = Pick<Hook, 'id' | 'origin' | 'enabled' | 'secret' | 'createdAt' | 'updatedAt'>;

/** A webhook whose definition says what to do. Throws `invalid_webhook` that names each bad place. */
export function definedHook(facts: HookFacts, definition: WebhookDefinition): Hook {
  const { provider, match, prompt } = compileWebhook(definition);
  return {
    ...facts,
    provider,
    unsigned: definition.signature?.type === 'none',
    users: definition.users ?? [],
    definition,
    asks(event) {
      const found = match(event);
      if (found.kind !== 'command') return found;
      const { command, request } = found;
      const { text, missing, cut } = prompt(command, event, request);
      return { kind: 'command', command, request, prompt: text, missing, cut };
    },
  };
}

export interface BuiltInFacts {
  readonly secret: string | null;
  readonly users?: readonly string[];
}

/** One of the providers that are known without being defined, with the commands that are there until the config names others. */
export function builtInHook(name: string, { secret, users = [] }: BuiltInFacts): Hook | undefined {
  const provider = PROVIDERS.get(name);
  return (
    provider && {
      ...{ id: name, origin: 'builtin', enabled: true, provider, secret, unsigned: false, users, definition: null },
      ...{ createdAt: null, updatedAt: null },
      asks(event) {
        const found = matchBuiltIn(event);
        if (found.kind !== 'command') return found;
        const { command, request } = found;
        const text = builtInPrompt(event, request);
        return { kind: 'command', command: { name: command }, request, prompt: text, missing: [], cut: [] };
      },
    }
  );
}
