import type { JsonObject } from '../../core/entry.ts';
import type { Delivery } from './delivery.ts';
import type { Fields } from './fields.ts';
import type { Verdict } from './signature.ts';

/** Somebody who sends webhooks. What it does is pure: it reads a delivery, and sends and keeps nothing. */
export interface Provider {
  readonly name: string;
  /** Whether whoever knows the secret signed these very bytes, compared in constant time. Never throws. */
  verify(delivery: Delivery, secret: string): Promise<Verdict>;
  /** Without what opens something else: kept and shown is only this. */
  clean?(delivery: Delivery): Delivery;
  /** What a delivery says. Throws `invalid_json` for a body that is none. */
  read(delivery: Delivery, origin?: Origin): WebhookEvent;
}

/** Which webhook a delivery came in by, where the provider itself does not tell. */
export interface Origin {
  readonly webhookId?: string;
}

/** A delivery in the words that all providers share. */
export interface WebhookEvent {
  readonly provider: string;
  /** The same for each attempt to deliver the same thing; null when nothing tells. */
  readonly deliveryId: string | null;
  readonly eventType: string;
  readonly kind: EventKind;
  /** Something new came to be: no edit, no closing. */
  readonly isNew: boolean;
  /** Who did it; null for a machine. */
  readonly sender: Sender | null;
  /** What was said, at most `WEBHOOK_TEXT_CHARS`. */
  readonly message: string;
  /** `message` with spaces in the place of code and quotes, character by character: where command words count. */
  readonly spoken: string;
  /** One line for people. */
  readonly title: string | null;
  /** `source_metadata` of the task's input: what is needed to find the place again, and to answer there. */
  readonly sourceMetadata: JsonObject;
  /** The body, for conditions and templates. */
  readonly payload: Fields;
  /** A person's answer to a question of ours that needs no command word: a button. */
  readonly answer?: Answer;
  /** What must be sent back as it is, because the provider wants to see that we are here. */
  readonly challenge?: string;
}

/**
 * - `said`: a person wrote something
 * - `alert`: a machine tells of something; its signature is its authority
 * - `click`: a person pressed a button
 * - `ping`: the provider tries whether we are here
 * - `other`: everything else
 */
export type EventKind = 'said' | 'alert' | 'click' | 'ping' | 'other';

export interface Sender {
  /** The provider's own id; it never changes. */
  readonly id: string;
  /** The login, where there is one, else the name that is shown. */
  readonly name: string;
  /** By this word and by the id a person may be named in the config. A name that people choose freely is none. */
  readonly login: string | null;
  readonly isBot: boolean;
  /** How the payload says that they belong to the project; `unknown` when it does not. */
  readonly standing: 'member' | 'guest' | 'outsider' | 'unknown';
  /** The provider's own word for it, such as GitHub's `author_association`. */
  readonly association: string | null;
}

/** A person's word about a plan that waits. */
export interface Answer {
  readonly verdict: 'approve' | 'reject';
  /** Null when only the place of the answer says which task is meant. */
  readonly taskId: string | null;
  /** Why, in the person's words; may be empty. */
  readonly comment: string;
}
