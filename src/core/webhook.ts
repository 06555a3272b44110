import type { JsonObject } from './entry.ts';
import { TrailError } from './error.ts';
import { DELIVERIES_KEPT, DELIVERY_BODIES_KEPT } from './limits.ts';
import type { Task } from './task.ts';

/**
 * What became of a delivery:
 * - `accepted`: it started a task
 * - `answered`: it answered a task that waited for a person
 * - `ignored`: it asks for nothing, or its sender may not
 * - `refused`: its signature is missing or wrong, or it cannot be read
 * - `failed`: it should have started a task, and could not
 */
export const DELIVERY_OUTCOMES = ['accepted', 'answered', 'ignored', 'refused', 'failed'] as const;
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

/** A delivery about to be written down. */
export interface DeliveryDraft {
  /** A webhook made at run time, or the name of a provider. */
  readonly webhookId: string;
  readonly provider: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  /** The provider's own id of it; null when it has none. */
  readonly deliveryId: string | null;
  readonly eventType: string | null;
  readonly sender: string | null;
  /** What its signature was checked with: `valid`, `none`, or why it was refused. */
  readonly signature: string;
  readonly outcome: DeliveryOutcome;
  /** A word for machines, such as `no_command` or `not_allowed`. */
  readonly reason: string | null;
  /** The same for people. */
  readonly detail: string | null;
  readonly taskId: string | null;
  /** Size of the body as it came. */
  readonly bytes: number;
  /** The delivery that this one repeats on somebody's wish. */
  readonly replayOf: number | null;
  /** Headers that say what it is, without signatures and tokens. */
  readonly headers: JsonObject;
  /** What it may be replayed from: masked; null when it is too long, or nothing to replay. */
  readonly body: string | null;
}

/** A delivery as it is kept. */
export interface DeliveryRecord extends Omit<DeliveryDraft, 'body'> {
  /** 1, 2, 3 … over all webhooks. */
  readonly n: number;
  readonly replayable: boolean;
}

/** What of it no other delivery of the same webhook may repeat, and until when that holds. */
export interface DeliveryKey {
  readonly value: string;
  /** Unix ms; null for as long as the delivery is kept. */
  readonly untilMs: number | null;
}

export type Delivered =
  | { readonly duplicate: false; readonly n: number; readonly task: Task | null }
  | { readonly duplicate: true; readonly n: number; readonly taskId: string | null };

export interface DeliveryQuery {
  readonly webhookId?: string;
  readonly outcomes?: readonly DeliveryOutcome[];
  /** Only those with a smaller number: the next page. */
  readonly before?: number;
  readonly limit: number;
}

/** How many deliveries of each webhook are kept. */
export interface DeliveryLimits {
  /** Those that started nothing. */
  readonly idle: number;
  /** Bodies to replay from. */
  readonly bodies: number;
}

export const DELIVERY_LIMITS: DeliveryLimits = { idle: DELIVERIES_KEPT, bodies: DELIVERY_BODIES_KEPT };

/** A webhook made at run time, as it is kept. What its definition means is the affair of whoever compiles it. */
export interface StoredWebhook {
  readonly webhookId: string;
  readonly enabled: boolean;
  /** Without its secret. */
  readonly definition: JsonObject;
  /** As it is: signatures are checked with it. Null for a webhook that needs none. */
  readonly secret: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export function webhookExists(webhookId: string): TrailError {
  return new TrailError('webhook_exists', `the webhook ${webhookId} exists already; choose another id`);
}
