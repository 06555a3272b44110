import type { DeliveryKey } from '../../core/webhook.ts';
import type { Delivery } from './delivery.ts';
import type { Hook } from './hook.ts';
import type { WebhookEvent } from './provider.ts';
import type { Stages } from './stages.ts';

/** A delivery that is believed and read, on its way to what it asks for. */
export interface Taken {
  readonly hook: Hook;
  readonly delivery: Delivery;
  readonly event: WebhookEvent;
  /** What makes it the same as another one. */
  readonly key: DeliveryKey;
  /** `valid`, or `none` where none is needed. */
  readonly signature: string;
  readonly stages: Stages;
  /** The kept delivery that it repeats on somebody's wish. */
  readonly replayOf: number | null;
}
