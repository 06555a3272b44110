import { createHash } from 'node:crypto';
import type { JsonObject } from '../../core/entry.ts';
import { asTrailError, TrailError } from '../../core/error.ts';
import { DELIVERY_BODY_BYTES } from '../../core/limits.ts';
import type { TaskRuns } from '../../core/plugin.ts';
import type { Intake, StoreReader } from '../../core/ports.ts';
import { type Clock, isoTime, systemClock } from '../../core/time.ts';
import type { DeliveryDraft, DeliveryKey, DeliveryOutcome } from '../../core/webhook.ts';
import { mayStart } from './allow.ts';
import { type Delivery, header, keptHeaders } from './delivery.ts';
import type { Hook, Wanted } from './hook.ts';
import type { Answer, WebhookEvent } from './provider.ts';
import { RefusedLog } from './refused-log.ts';
import type { Verdict } from './signature.ts';
import { payloadFields, Stages } from './stages.ts';
import { type Acknowledge, startTask } from './start.ts';
import type { Taken } from './taken.ts';
import { giveVerdict } from './verdict.ts';
import { PROVIDERS } from './webhook.ts';

export interface ReceiverParts {
  readonly store: StoreReader;
  readonly intake: Intake;
  readonly tasks: Pick<TaskRuns, 'runAgent'>;
  /** Tells, where a command was said, that it was heard. */
  readonly acknowledge: Acknowledge;
  readonly clock?: Clock;
}

/** What the sender is told. */
export type Receipt =
  | { readonly status: 'accepted' | 'duplicate' | 'approved' | 'rejected'; readonly taskId: string }
  | { readonly status: 'ignored'; readonly reason: string; readonly detail: string; readonly challenge?: string };

export interface Arrival {
  readonly delivery: Delivery;
  /** Taken without a signature where no secret is set: only our own machine can have sent it. */
  readonly mayBeUnsigned: boolean;
}

/** Without an id of its own, the very same body counts as the same delivery for so long. */
const SAME_BODY_MS = 60_000;
const SENDER_CHARS = 200;

/**
 * Takes deliveries in. Nothing in one is believed before its signature was checked over the very bytes, nothing is told before it
 * is committed, and of what comes twice the second finds the first:
 *
 *   verify ─▶ read ─▶ once ─▶ what is asked ─▶ who asks ─▶ acknowledge ─▶ task, lines and delivery in one commit
 *     └ refused        └ duplicate   └ ignored    └ ignored, not_allowed
 */
export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #clock: Clock;
  readonly #refused: RefusedLog;
  /** Deliveries under way by their key: the same one that comes meanwhile waits for its end. */
  readonly #underWay = new Map<string, Promise<Receipt>>();

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#refused = new RefusedLog(this.#clock);
  }

  /**
   * Throws `invalid_signature`, `webhook_not_configured`, `invalid_json`, and what the store throws: whoever sends must then send
   * again.
   */
  async receive(hook: Hook, { delivery: arrived, mayBeUnsigned }: Arrival): Promise<Receipt> {
    const stages = new Stages(this.#clock);
    const signature = await this.#verified(hook, arrived, mayBeUnsigned);
    const delivery = hook.provider.clean?.(arrived) ?? arrived;
    const event = await this.#event(hook, delivery, signature);
    const key = keyOf(event, delivery);
    return this.#once(`${hook.id} ${key.value}`, () =>
      this.#take({ hook, delivery, event, key, signature, stages, replayOf: null }),
    );
  }

  /** Take a kept delivery again: what is asked and who asks is decided anew. Throws `delivery_not_found`, `not_replayable`. */
  async replay(hook: Hook, n: number): Promise<Receipt> {
    const kept = await this.#parts.store.delivery(n);
    if (kept.webhookId !== hook.id)
      throw new TrailError('delivery_not_found', `the webhook ${hook.id} has no delivery ${n}`);
    if (kept.body === null) throw new TrailError('not_replayable', `of the delivery ${n} the body is not kept`);
    const headers = kept.headers as Delivery['headers'];
    const delivery = { headers, body: new TextEncoder().encode(kept.body), nowMs: this.#clock.now() };
    const event = hook.provider.read(delivery, { webhookId: hook.id });
    // A replay is a wish of its own: it shares its key with nothing.
    const key = { value: `replay:${n}:${this.#clock.now()}`, untilMs: null };
    const stages = new Stages(this.#clock);
    return this.#take({ hook, delivery, event, key, signature: kept.signature, stages, replayOf: n });
  }

  /** What the signature was checked with. Throws for whatever is not to be believed, and writes that down. */
  async #verified(hook: Hook, delivery: Delivery, mayBeUnsigned: boolean): Promise<string> {
    if (hook.unsigned) return 'none';
    if (hook.secret === null) {
      // A webhook of one's own says itself that it needs no signature.
      if (mayBeUnsigned && PROVIDERS.has(hook.id)) return 'none';
      await this.#noteRefused(hook, delivery, { reason: 'not_configured', detail: `no secret of ${hook.id} is set` });
      throw new TrailError(
        'webhook_not_configured',
        `no secret of ${hook.id} is set, so its deliveries cannot be checked`,
      );
    }
    const verdict: Verdict = await hook.provider.verify(delivery, hook.secret);
    if (verdict.ok) return 'valid';
    await this.#noteRefused(hook, delivery, { reason: verdict.reason, detail: REFUSALS[verdict.reason] });
    throw new TrailError('invalid_signature', REFUSALS[verdict.reason]);
  }

  async #event(hook: Hook, delivery: Delivery, signature: string): Promise<WebhookEvent> {
    try {
      return hook.provider.read(delivery, hook.origin === 'builtin' ? {} : { webhookId: hook.id });
    } catch (error) {
      const { code, message } = asTrailError(error);
      await this.#noteRefused(hook, delivery, { reason: code, detail: message, signature });
      throw error;
    }
  }

  /** Who comes while the same is under way learns of its end, and none of the two is done twice. */
  async #once(key: string, take: () => Promise<Receipt>): Promise<Receipt> {
    const first = this.#underWay.get(key);
    if (first) {
      const receipt = await first;
      return receipt.status === 'ignored' ? receipt : { status: 'duplicate', taskId: receipt.taskId };
    }
    const taking = take();
    this.#underWay.set(key, taking);
    try {
      return await taking;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #take(taken: Taken): Promise<Receipt> {
    const { hook, delivery, event, key, signature, stages } = taken;
    const fields = {
      event_type: event.eventType,
      provider: event.provider,
      ...(event.deliveryId !== null && { delivery_id: event.deliveryId }),
      ...(taken.replayOf !== null && { replay_of: taken.replayOf }),
      ...payloadFields(event.payload as JsonObject, delivery),
    };
    stages.add('received', fields, { atMs: delivery.nowMs });
    stages.add('validation', { status: 'passed', signature });
    const known = await this.#parts.store.deliveryOfKey(hook.id, key.value);
    if (known?.taskId) return { status: 'duplicate', taskId: known.taskId };
    if (!hook.enabled) return this.#ignore(taken, 'disabled', 'the webhook is switched off');
    const asked = hook.asks(event);
    if (asked.kind === 'ignored') return this.#ignore(taken, asked.reason, asked.detail);
    const permission = mayStart(event, { users: hook.users });
    if (!permission.ok) return this.#ignore(taken, permission.reason, permission.detail);
    if (asked.kind === 'answer' && taken.replayOf !== null) {
      throw new TrailError('not_replayable', 'a person answered with it: that is not said again in their name');
    }
    try {
      return asked.kind === 'answer' ? await this.#answer(taken, asked.answer) : await this.#start(taken, asked);
    } catch (error) {
      const { code, message } = asTrailError(error);
      await this.#note(taken, { outcome: 'failed', reason: code, detail: message }).catch(() => {});
      throw error;
    }
  }

  async #ignore(taken: Taken, reason: string, detail: string): Promise<Receipt> {
    const { challenge } = taken.event;
    // A challenge is sent back at once, and there is nothing in it to look at later.
    if (challenge === undefined) await this.#note(taken, { outcome: 'ignored', reason, detail });
    return { status: 'ignored', reason, detail, ...(challenge !== undefined && { challenge }) };
  }

  async #answer(taken: Taken, answer: Answer): Promise<Receipt> {
    const { store, intake } = this.#parts;
    const given = await giveVerdict({ store, intake }, taken.event, answer);
    if (given.taskId === null) return this.#ignore(taken, given.reason, given.detail);
    const { taskId, verdict } = given;
    await this.#note(taken, { outcome: 'answered', reason: verdict, detail: answer.comment || null, taskId });
    return { status: verdict, taskId };
  }

  async #start(taken: Taken, wanted: Wanted): Promise<Receipt> {
    const { intake, tasks, acknowledge } = this.#parts;
    const draft = (taskId: string) => draftOf(taken, { outcome: 'accepted', reason: null, detail: null, taskId });
    const started = await startTask({ intake, tasks, acknowledge, clock: this.#clock }, { taken, wanted, draft });
    return { status: started.duplicate ? 'duplicate' : 'accepted', taskId: started.taskId };
  }

  async #note(taken: Taken, became: Became): Promise<void> {
    // What started nothing may come again: after the settings were mended, for instance.
    const key = became.outcome === 'answered' ? taken.key : null;
    await this.#parts.intake.deliver({ delivery: draftOf(taken, became), key });
  }

  async #noteRefused(hook: Hook, delivery: Delivery, why: Why): Promise<void> {
    const unwritten = this.#refused.admit(hook.id);
    if (unwritten === undefined) return;
    const more = unwritten === 0 ? '' : `; ${unwritten} more before it were not written down`;
    const draft: DeliveryDraft = {
      ...arrivalOf(hook, delivery),
      ...{ deliveryId: null, eventType: null, sender: null, taskId: null, replayOf: null, body: null },
      ...{ outcome: 'refused', signature: why.signature ?? why.reason, reason: why.reason, detail: why.detail + more },
    };
    // A stranger's delivery must not learn whether we can write.
    await this.#parts.intake.deliver({ delivery: draft, key: null }).catch(() => {});
  }
}

interface Why {
  readonly reason: string;
  readonly detail: string;
  readonly signature?: string;
}

export interface Became {
  readonly outcome: DeliveryOutcome;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly taskId?: string;
}

const REFUSALS = {
  no_secret: 'there is no secret to check it with',
  missing_header: 'expected a signature, got none',
  odd_header: 'expected one signature of the form that this provider uses, got something else',
  too_old: 'it was signed more than five minutes ago, or in the future; look at the clocks',
  wrong_signature: 'it is signed with another secret, or its body was changed on the way',
} as const;

function draftOf({ hook, delivery, event, signature, replayOf }: Taken, became: Became): DeliveryDraft {
  const { deliveryId, eventType, sender } = event;
  const { outcome, reason, detail, taskId = null } = became;
  const replayable = delivery.body.byteLength <= DELIVERY_BODY_BYTES;
  return {
    ...arrivalOf(hook, delivery),
    ...{ deliveryId, eventType, signature, replayOf, outcome, reason, detail, taskId },
    sender: sender === null ? null : sender.name.slice(0, SENDER_CHARS),
    body: replayable ? new TextDecoder().decode(delivery.body) : null,
  };
}

function arrivalOf(hook: Hook, delivery: Delivery) {
  return {
    webhookId: hook.id,
    provider: hook.provider.name,
    receivedAt: isoTime(delivery.nowMs),
    bytes: delivery.body.byteLength,
    headers: keptHeaders(delivery),
  };
}

function keyOf({ deliveryId }: WebhookEvent, delivery: Delivery): DeliveryKey {
  if (deliveryId !== null) return { value: `id:${deliveryId}`, untilMs: null };
  const type = header(delivery, 'content-type') ?? '';
  const digest = createHash('sha256').update(type).update('\n').update(delivery.body).digest('hex');
  return { value: `body:${digest}`, untilMs: delivery.nowMs + SAME_BODY_MS };
}
