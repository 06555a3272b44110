import { mayStart } from './allow.ts';
import type { Hook } from './hook.ts';

export interface Trial {
  readonly payload: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly nowMs: number;
}

export interface TrialResult {
  readonly outcome: 'accepted' | 'answered' | 'ignored';
  readonly reason: string | null;
  readonly detail: string | null;
  readonly event_type: string;
  readonly command: string | null;
  readonly request: string | null;
  readonly prompt: string | null;
  readonly missing: string[];
  readonly cut: string[];
}

/** What a delivery would start, its signature left aside. Stores and starts nothing. Throws `invalid_json` for an odd payload. */
export function tryOut(hook: Hook, { payload, headers = {}, nowMs }: Trial): TrialResult {
  const body = new TextEncoder().encode(JSON.stringify(payload));
  const delivery = { headers: { ...headers, 'content-type': 'application/json' }, body, nowMs };
  const event = hook.provider.read(delivery, { webhookId: hook.id });
  const nothing = { event_type: event.eventType, command: null, request: null, prompt: null, missing: [], cut: [] };
  const asked = hook.asks(event);
  if (asked.kind === 'ignored') return { ...nothing, outcome: 'ignored', reason: asked.reason, detail: asked.detail };
  const permission = mayStart(event, { users: hook.users });
  if (!permission.ok) return { ...nothing, outcome: 'ignored', reason: permission.reason, detail: permission.detail };
  if (asked.kind === 'answer') {
    return { ...nothing, outcome: 'answered', reason: asked.answer.verdict, detail: asked.answer.taskId };
  }
  const { command, request, prompt, missing, cut } = asked;
  const detail = hook.enabled ? null : 'the webhook is switched off';
  return {
    ...{ outcome: 'accepted', reason: hook.enabled ? null : 'disabled', detail, event_type: event.eventType },
    ...{ command: command.name, request, prompt, missing: [...missing], cut: [...cut] },
  };
}
