import type { WireWebhook, WireWebhookList } from '../../core/wire-webhook.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';

/** The webhooks of the server, and what the reader may do with them. */
export class Webhooks {
  list = $state.raw<readonly WireWebhook[] | null>(null);
  role = $state.raw<WireWebhookList['role']>('reader');
  problem = $state.raw<Problem | null>(null);
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  readonly read = async (): Promise<void> => {
    try {
      const { webhooks, role } = await this.#api.webhooks();
      this.list = webhooks;
      this.role = role;
      this.problem = null;
    } catch (error) {
      this.problem = asProblem(error);
    }
  };

  /** Why the reader may not change webhooks; empty when they may. */
  get locked(): string {
    return this.role === 'admin' ? '' : 'Only an admin may change webhooks: ask with an admin token.';
  }
}
