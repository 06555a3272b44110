import { TrailError } from '../../core/error.ts';
import { DELIVERY_DAYS, WEBHOOKS } from '../../core/limits.ts';
import type { Clock } from '../../core/time.ts';
import {
  type DeliveryDraft,
  type DeliveryKey,
  type DeliveryLimits,
  type DeliveryQuery,
  type DeliveryRecord,
  type StoredWebhook,
  webhookExists,
} from '../../core/webhook.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

interface Kept extends DeliveryRecord {
  readonly body: string | null;
  readonly key: DeliveryKey | null;
}

/** Webhooks and their deliveries, in plain lists. */
export class DeliveryLog {
  readonly #clock: Clock;
  readonly #limits: DeliveryLimits;
  readonly #webhooks = new Map<string, StoredWebhook>();
  #deliveries: Kept[] = [];
  #last = 0;

  constructor(clock: Clock, limits: DeliveryLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  async deliveries({ webhookId, outcomes, before, limit }: DeliveryQuery): Promise<readonly DeliveryRecord[]> {
    return this.#deliveries
      .filter((kept) => webhookId === undefined || kept.webhookId === webhookId)
      .filter(({ outcome }) => outcomes === undefined || outcomes.includes(outcome))
      .filter(({ n }) => before === undefined || n < before)
      .toReversed()
      .slice(0, limit)
      .map(({ body: _body, key: _key, ...record }) => record);
  }

  async delivery(n: number): Promise<DeliveryRecord & { readonly body: string | null }> {
    const kept = this.#deliveries.find((one) => one.n === n);
    if (!kept) throw new TrailError('delivery_not_found', `there is no delivery ${n}, or it is too old to be kept`);
    const { key: _, ...record } = kept;
    return record;
  }

  async deliveryOfKey(webhookId: string, key: string): Promise<{ n: number; taskId: string | null } | null> {
    return this.holderOf(webhookId, key);
  }

  /** The same at once, so that nobody comes between a look and what is done then. */
  protected holderOf(webhookId: string, key: string): { n: number; taskId: string | null } | null {
    const nowMs = this.#clock.now();
    const kept = this.#deliveries.findLast(
      (one) =>
        one.webhookId === webhookId && one.key?.value === key && (one.key.untilMs ?? Number.POSITIVE_INFINITY) > nowMs,
    );
    return kept ? { n: kept.n, taskId: kept.taskId } : null;
  }

  async webhooks(): Promise<readonly StoredWebhook[]> {
    const order = ({ createdAt, webhookId }: StoredWebhook): string => `${createdAt} ${webhookId}`;
    return [...this.#webhooks.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  async saveWebhook(webhook: StoredWebhook, isNew = false): Promise<void> {
    if (isNew && this.#webhooks.has(webhook.webhookId)) throw webhookExists(webhook.webhookId);
    if (this.#webhooks.size >= WEBHOOKS && !this.#webhooks.has(webhook.webhookId)) {
      throw new TrailError('too_many_webhooks', `expected at most ${WEBHOOKS} webhooks; delete some that are not used`);
    }
    this.#webhooks.set(webhook.webhookId, webhook);
  }

  async deleteWebhook(webhookId: string): Promise<void> {
    this.#webhooks.delete(webhookId);
    this.#deliveries = this.#deliveries.filter((kept) => kept.webhookId !== webhookId);
  }

  protected addDelivery(draft: DeliveryDraft, key: DeliveryKey | null): number {
    const n = ++this.#last;
    this.#deliveries.push({ ...draft, n, key, replayable: draft.body !== null });
    const own = this.#deliveries.filter(({ webhookId }) => webhookId === draft.webhookId).toReversed();
    const idle = own.filter(({ outcome }) => outcome !== 'accepted' && outcome !== 'answered');
    const tooMany = new Set(idle.slice(this.#limits.idle));
    const bodies = new Set(own.filter(({ body }) => body !== null).slice(this.#limits.bodies));
    this.#deliveries = this.#deliveries
      .filter((kept) => !tooMany.has(kept))
      .map((kept) => (bodies.has(kept) ? { ...kept, body: null, replayable: false } : kept));
    return n;
  }

  protected sweepDeliveries(): void {
    const oldestMs = this.#clock.now() - DELIVERY_DAYS * DAY_MS;
    this.#deliveries = this.#deliveries.filter(({ receivedAt }) => Date.parse(receivedAt) >= oldestMs);
  }
}
