import type { DeliveryOutcome } from '../../core/webhook.ts';
import type { WireDelivery } from '../../core/wire-webhook.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';

const PAGE = 50;

/** The delivery log of one webhook: the newest first, and older ones on request. */
export class Deliveries {
  list = $state.raw<readonly WireDelivery[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  reading = $state(false);
  #nextBefore = $state.raw<number | null>(null);
  readonly #api: Api;
  readonly #webhookId: string;
  #reads = 0;

  constructor(api: Api, webhookId: string) {
    this.#api = api;
    this.#webhookId = webhookId;
  }

  get hasOlder(): boolean {
    return this.#nextBefore !== null;
  }

  /** Read from the newest on. What was asked for before and comes late is passed over. */
  read(outcome: DeliveryOutcome | null): Promise<void> {
    return this.#page(outcome, null);
  }

  older(outcome: DeliveryOutcome | null): Promise<void> {
    return this.#page(outcome, this.#nextBefore);
  }

  async #page(outcome: DeliveryOutcome | null, before: number | null): Promise<void> {
    const turn = ++this.#reads;
    const params = new URLSearchParams({
      limit: String(PAGE),
      ...(before !== null && { before: String(before) }),
      ...(outcome !== null && { outcome }),
    });
    this.reading = true;
    try {
      const page = await this.#api.deliveries(this.#webhookId, params);
      if (turn !== this.#reads) return;
      this.list = before === null ? page.deliveries : [...(this.list ?? []), ...page.deliveries];
      this.#nextBefore = page.next_before;
      this.problem = null;
    } catch (error) {
      if (turn === this.#reads) this.problem = asProblem(error);
    } finally {
      if (turn === this.#reads) this.reading = false;
    }
  }
}
