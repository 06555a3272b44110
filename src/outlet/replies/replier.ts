import type { JsonObject } from '../../core/entry.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { type Accounts, acknowledgement, comment, type Reply, type Said } from './request.ts';
import { type SendOptions, send } from './send.ts';

/** What became of saying something: the fields of a line of the stage. */
export interface Outcome {
  readonly status: 'sent' | 'failed' | 'skipped';
  readonly what: 'reaction' | 'comment' | 'message';
  readonly reason?: string;
  /** We stopped before it was sent. */
  readonly stopped?: true;
}

/** Says things at GitHub, Jira and Slack, where a command was said: `place` is the task's `source_metadata`. Never rejects. */
export interface Replier {
  /** Whether it has an account for this place. */
  reaches(place: JsonObject): boolean;
  /** Tell that a command was heard. One try: somebody waits. */
  acknowledge(place: JsonObject, text: string): Promise<Outcome>;
  say(place: JsonObject, said: Said, signal?: AbortSignal): Promise<Outcome>;
}

/** How often an answer is tried that nobody waits for. */
const TRIES = 4;

export function replier(accounts: Accounts, outbound?: Outbound): Replier {
  const out = async (reply: Reply, what: Outcome['what'], how: SendOptions) => {
    if (!reply.ok) return { status: 'skipped', what, reason: reply.reason } as const;
    // The settings say where GitHub, Jira and Slack are.
    const sent = await send(reply.request, { ...how, namedBy: 'settings', outbound });
    if (sent.ok) return { status: 'sent', what } as const;
    const { reason, stopped } = sent;
    return { status: 'failed', what, reason, ...(stopped && { stopped }) } as const;
  };
  return {
    reaches: (place) => hasAccount(accounts, place.provider),
    acknowledge: (place, text) =>
      out(acknowledgement(place, accounts, text), heardBy(place), { isSlack: isSlack(place) }),
    say: (place, said, signal) =>
      out(comment(place, accounts, said), saidBy(place), { tries: TRIES, signal, isSlack: isSlack(place) }),
  };
}

function isSlack({ provider }: JsonObject): boolean {
  return provider === 'slack';
}

function hasAccount({ github, jira, slack, slackWebhook }: Accounts, provider: unknown): boolean {
  switch (provider) {
    case 'github':
      return github !== undefined;
    case 'jira':
      return jira !== undefined;
    case 'slack':
      return slack !== undefined || slackWebhook !== undefined;
    default:
      return false;
  }
}

function heardBy(place: JsonObject): Outcome['what'] {
  return place.provider === 'github' ? 'reaction' : saidBy(place);
}

function saidBy(place: JsonObject): Outcome['what'] {
  return place.provider === 'slack' ? 'message' : 'comment';
}
