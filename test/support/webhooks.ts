import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TaskRuns } from '../../src/core/plugin.ts';
import type { Intake, StoreReader } from '../../src/core/ports.ts';
import type { Delivery } from '../../src/inlet/webhooks/delivery.ts';
import { createWebhooks, type Webhooks, type WebhooksOptions } from '../../src/inlet/webhooks/index.ts';

export const SECRET = "It's a Secret to Everybody";
/** The moment at which test deliveries arrive. */
export const NOW_MS = Date.parse('2026-01-24T10:00:00.000Z');

interface Parts {
  readonly store: StoreReader;
  readonly intake: Intake;
  readonly tasks: Pick<TaskRuns, 'runAgent'>;
}

/** What takes deliveries in: every provider has the same secret, and nobody is answered. */
export function webhooksOf(parts: Parts, options: Partial<WebhooksOptions> = {}): Webhooks {
  const secrets = { github: SECRET, jira: SECRET, slack: SECRET, sentry: SECRET };
  const acknowledge = async () => ({ status: 'skipped', reason: 'no_token' }) as const;
  return createWebhooks({ secrets, acknowledge, mayBeUnsigned: false, ...parts, ...options });
}

type Payload = Record<string, unknown>;

/** Payloads of one provider by name, written after its public documentation. */
export function payloads(provider: 'jira' | 'slack' | 'sentry'): (name: string) => Payload {
  const all = JSON.parse(text(`${provider}.json`)) as Record<string, Payload>;
  return (name) => {
    const found = all[name];
    if (found === undefined) throw new Error(`there is no payload ${name} of ${provider}`);
    return structuredClone(found);
  };
}

export interface Examples {
  readonly name: string;
  readonly examples: readonly Payload[];
}

/** Our own payloads of GitHub, in the form of the package `@octokit/webhooks-examples`. */
export function githubExamples(): readonly Examples[] {
  return JSON.parse(text('github.json')) as Examples[];
}

/** One of our own payloads of GitHub: the event's name, and its place among the event's examples. */
export function githubPayload(name: string, index = 0): Payload {
  const found = githubExamples().find((event) => event.name === name)?.examples[index];
  if (found === undefined) throw new Error(`there is no payload ${index} of ${name}`);
  return found;
}

/** A delivery as the receiver gets it. A text is sent as it is, anything else as JSON. */
export function delivery(body: unknown, headers: Delivery['headers'] = {}): Delivery {
  const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
  return { headers: { 'content-type': 'application/json', ...headers }, body: bytes, nowMs: NOW_MS };
}

/** A delivery of a form, as Slack sends slash commands and buttons. */
export function formDelivery(fields: Readonly<Record<string, string>>, headers: Delivery['headers'] = {}): Delivery {
  return delivery(new URLSearchParams(fields).toString(), {
    'content-type': 'application/x-www-form-urlencoded',
    ...headers,
  });
}

/** HMAC-SHA256 in hex, counted here on its own. */
export function signed(secret: string, ...pieces: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac('sha256', secret);
  for (const piece of pieces) hmac.update(piece);
  return hmac.digest('hex');
}

function text(file: string): string {
  return readFileSync(new URL(`../fixtures/webhooks/${file}`, import.meta.url), 'utf8');
}

/** How a delivery was answered, and how long that took. */
export interface DeliveryAnswer {
  readonly status: number;
  readonly ms: number;
  readonly taskId: string | undefined;
  readonly retryAfter: string | null;
}

/** Send a comment that starts a task, as GitHub does, to a server whose secret is `SECRET`. */
export async function deliverComment({ url }: { readonly url: string }, id: string): Promise<DeliveryAnswer> {
  const payload = githubPayload('issue_comment');
  const comment = { ...(payload.comment as object), body: `/agent do ${id}`, author_association: 'OWNER' };
  const body = JSON.stringify({ ...payload, comment });
  const startMs = performance.now();
  const response = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    headers: {
      ...{ 'x-github-event': 'issue_comment', 'x-github-delivery': id, 'content-type': 'application/json' },
      'x-hub-signature-256': `sha256=${signed(SECRET, body)}`,
    },
    body,
  });
  const { task_id: taskId } = (await response.json()) as { task_id?: string };
  const ms = performance.now() - startMs;
  return { status: response.status, ms, taskId, retryAfter: response.headers.get('retry-after') };
}
