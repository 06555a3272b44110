import { Catalogue, type CatalogueOptions } from './catalogue.ts';
import { Receiver, type ReceiverParts } from './receiver.ts';

/** What takes deliveries in, put together. */
export interface Webhooks {
  readonly catalogue: Catalogue;
  readonly receiver: Receiver;
  /** Deliveries of a provider without a secret are taken: nobody but this machine can reach us. */
  readonly mayBeUnsigned: boolean;
}

export interface WebhooksOptions extends CatalogueOptions, ReceiverParts {
  readonly mayBeUnsigned: boolean;
}

/** Throws `invalid_webhook` for a bad one in the config. */
export function createWebhooks({ mayBeUnsigned, ...options }: WebhooksOptions): Webhooks {
  return { catalogue: new Catalogue(options), receiver: new Receiver(options), mayBeUnsigned };
}
