import type { JsonObject } from './entry.ts';
import type { DeliveryOutcome, DeliveryRecord } from './webhook.ts';
import type { Wired } from './wire.ts';

/** How deliveries are signed, as definitions say it. */
export type WireSignature =
  | {
      readonly type: 'hmac-sha256';
      readonly header: string;
      readonly prefix?: string;
      readonly encoding: 'hex' | 'base64';
    }
  | { readonly type: 'bearer'; readonly header?: string }
  | { readonly type: 'header-token'; readonly header: string }
  | { readonly type: 'none'; readonly allow_unsigned: true };

export interface WireCondition {
  readonly path: string;
  readonly [test: string]: unknown;
}

export interface WireWebhookCommand {
  readonly name: string;
  readonly trigger?: string | readonly string[];
  readonly conditions?: readonly WireCondition[];
  readonly prompt?: string;
  readonly agent?: string;
  readonly approval?: boolean;
  /** What a form leaves as it is: planner, retries, priority, workspace. */
  readonly [more: string]: unknown;
}

/** A webhook as `/api/webhooks` gives it. */
export interface WireWebhook {
  readonly webhook_id: string;
  readonly name: string;
  readonly provider: string;
  readonly origin: 'builtin' | 'config' | 'api';
  readonly enabled: boolean;
  /** It can check what comes, or needs no secret. */
  readonly configured: boolean;
  readonly secret_set: boolean;
  readonly signature: WireSignature | null;
  readonly url: string;
  readonly trigger?: string | readonly string[] | null;
  readonly conditions?: readonly WireCondition[] | null;
  readonly users?: readonly string[] | null;
  readonly commands: readonly WireWebhookCommand[];
  readonly created_at: string | null;
  readonly updated_at: string | null;
  readonly last_delivery: {
    readonly n: number;
    readonly received_at: string;
    readonly outcome: DeliveryOutcome;
    readonly reason: string | null;
    readonly task_id: string | null;
  } | null;
}

export interface WireWebhookList {
  readonly webhooks: readonly WireWebhook[];
  /** The caller's own: an admin changes webhooks, a writer replays deliveries. */
  readonly role: 'reader' | 'writer' | 'admin';
}

/** What a delivery would start, nothing started. */
export interface WireTrial {
  readonly outcome: 'accepted' | 'answered' | 'ignored';
  readonly reason: string | null;
  readonly detail: string | null;
  readonly event_type: string;
  readonly command: string | null;
  readonly request: string | null;
  readonly prompt: string | null;
  readonly missing: readonly string[];
  readonly cut: readonly string[];
}

/** A delivery as the log of its webhook gives it; headers and body only where one is asked for. */
export type WireDelivery = Omit<Wired<DeliveryRecord>, 'headers'>;
export type WireDeliveryDetails = WireDelivery & { readonly headers: JsonObject; readonly body: string | null };

export interface WireDeliveryPage {
  readonly deliveries: readonly WireDelivery[];
  readonly next_before: number | null;
}

/** What the receiver of a delivery answers. */
export interface WireReceived {
  readonly status?: string;
  readonly reason?: string | null;
  readonly detail?: string | null;
  readonly task_id?: string | null;
}
