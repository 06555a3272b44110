import type { WebhookEvent } from './provider.ts';

/** Who may start an agent, besides what the payload says. */
export interface Rules {
  /** Ids or logins of this provider's people. On Jira and Slack nobody else may, once there is one. */
  readonly users?: readonly string[];
}

export type Permission =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'not_allowed'; readonly detail: string };

/**
 * Whether an event may start an agent or answer for a person. Never a bot; a machine only by its own signature; people when the
 * config names them or the payload says that they are members. A name that people choose themselves proves nothing.
 */
export function mayStart(event: Pick<WebhookEvent, 'provider' | 'kind' | 'sender'>, rules: Rules = {}): Permission {
  const { sender, kind, provider } = event;
  if (sender === null) return kind === 'alert' ? { ok: true } : denied('the delivery does not say who sent it');
  if (sender.isBot) return denied(`${sender.name} is a bot`);
  const users = rules.users ?? [];
  if (users.some((user) => isNamed(user, sender))) return { ok: true };
  if (users.length > 0 && provider !== 'github') return denied(`${sender.name} is not among the named users`);
  if (sender.standing === 'member') return { ok: true };
  const standing = sender.association === null ? sender.standing : `${sender.standing} (${sender.association})`;
  return denied(`expected a member, ${sender.name} is ${standing}`);
}

function isNamed(user: string, sender: { readonly id: string; readonly login: string | null }): boolean {
  return user === sender.id || (sender.login !== null && user.toLowerCase() === sender.login.toLowerCase());
}

function denied(detail: string): Permission {
  return { ok: false, reason: 'not_allowed', detail };
}
