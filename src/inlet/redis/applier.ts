import { setTimeout as delay } from 'node:timers/promises';
import { asTrailError, ERRORS, TrailError } from '../../core/error.ts';
import type { EventBatch, Refusal } from '../../core/event.ts';
import { refusalsOf } from '../../core/event-place.ts';
import { EVENT_TRIES, RETRY_FIRST_MS, RETRY_MAX_MS } from '../../core/limits.ts';
import type { Applied, Intake } from '../../core/ports.ts';
import type { Clock } from '../../core/time.ts';
import type { Pace } from './pace.ts';
import { Plan, type Planned } from './plan.ts';
import type { EventStream } from './stream.ts';

export interface ApplierOptions {
  readonly intake: Pick<Intake, 'applyEvents' | 'check'>;
  readonly events: EventStream;
  /** The stream's name, under which its place is kept. */
  readonly stream: string;
  /** Told how long commits take. */
  readonly pace: Pace;
  readonly clock: Clock;
  readonly log: { warn(message: string): void };
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

interface Stored {
  readonly planned: readonly Planned[];
  readonly applied: readonly Applied[];
}

/**
 * Applies entries in the order of the stream and acknowledges them:
 *
 *   at or before the place ─▶ acknowledged: it was stored already; when it was refused and not buried yet, the dead ones
 *   not understood         ─▶ the dead ones, with the reason
 *   no type, no task       ─▶ left out with a warning
 *   all others             ─▶ one commit together with the place ─▶ those it refused: the dead ones ─▶ acknowledged
 *
 * A commit is sent while the one before is under way, from the place that this one will reach: should that fail, it is refused, and
 * sent again in its turn. While the store cannot commit it waits. What the store cannot stand for another reason is found by halves.
 */
export class Applier {
  processed = 0;
  skipped = 0;
  buried = 0;
  readonly #options: ApplierOptions;
  /** How far the stream is stored, as this reader knows, and how far when all that was sent is. */
  #place: string | null = null;
  #sent: string | null = null;
  #last: Promise<void> = Promise.resolve();
  #storedMs = 0;
  /** What was refused before this reader began, and may not be dead yet: whoever read then may have been killed. */
  readonly #refused = new Map<string, string>();
  /** Refused ones that are dead by now, which the store need not keep any more. */
  readonly #buried = new Set<string>();

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  get place(): string | null {
    return this.#place;
  }

  /** Begin behind a place, with what the store says was refused; nothing is under way. */
  begin(place: string | null, refused: readonly Refusal[]): void {
    this.#place = place;
    this.#sent = place;
    this.#last = Promise.resolve();
    this.#buried.clear();
    this.#refused.clear();
    for (const { id, reason } of refused) this.#refused.set(id, reason);
  }

  /** An empty plan of what comes behind all that was sent. */
  plan(): Plan {
    return new Plan(this.#sent, this.#refused, this.#options.clock);
  }

  /**
   * Send a plan behind those that were sent before; resolves when it is stored and acknowledged. Throws `event_conflict` when another
   * reader moved the place, and the signal's reason when it is aborted; what was sent behind it throws the same.
   */
  apply(plan: Plan): Promise<void> {
    this.#last = this.#finish(plan, this.#send(plan), this.#last);
    return this.#last;
  }

  /** Undefined when it must be sent again in its turn. */
  async #send({ planned, poison, to }: Plan): Promise<readonly Applied[] | undefined> {
    const from = this.#sent;
    if (to === null) return [];
    this.#sent = to;
    // Poison is moved away before the place passes it: behind a place nobody looks for it.
    if (poison.length > 0) return undefined;
    const { pace } = this.#options;
    const sentMs = performance.now();
    const applied = await this.#store({ from, to, steps: planned }).catch(() => undefined);
    // Until the one before was stored it only waited.
    if (applied) pace.committed(planned.length, performance.now() - Math.max(sentMs, this.#storedMs));
    this.#storedMs = performance.now();
    return applied;
  }

  async #finish(plan: Plan, sent: Promise<readonly Applied[] | undefined>, before: Promise<void>): Promise<void> {
    const { planned, poison, skipped, to, ids } = plan;
    // First its own: who begins anew after a fault of the one before must find nothing under way.
    const applied = await sent;
    await before;
    for (const { id, reason } of poison) await this.#bury(id, reason);
    this.#skip(skipped);
    if (to !== null) this.#forget();
    if (applied && to !== null) await this.#reached(to, { planned, applied });
    else if (to !== null) await this.#applyAll(planned, to);
    await this.#options.events.acknowledge(ids);
  }

  async #applyAll(planned: readonly Planned[], to: string): Promise<void> {
    const [first, second] = planned;
    if (first && !second) await this.#applyOne(first);
    else {
      try {
        await this.#commit(planned, to);
      } catch (error) {
        if (this.#isOver(error) || !second) throw error;
        const half = planned.length >> 1;
        await this.#applyAll(planned.slice(0, half), planned[half - 1]?.id ?? to);
        await this.#applyAll(planned.slice(half), to);
      }
    }
    if (this.#place !== to) await this.#commit([], to);
  }

  async #applyOne(one: Planned): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#commit([one], one.id);
        return;
      } catch (error) {
        if (this.#isOver(error)) throw error;
        if (tries < EVENT_TRIES) await this.#pause(tries);
        else {
          // A store that stands nothing at all is no fault of this event.
          await this.#patiently(() => this.#options.intake.check());
          await this.#bury(one.id, `failed ${tries} times: ${asTrailError(error).message}`);
          await this.#commit([], one.id);
          return;
        }
      }
    }
  }

  async #commit(planned: readonly Planned[], to: string): Promise<void> {
    const applied = await this.#patiently(() => this.#store({ from: this.#place, to, steps: planned }));
    await this.#reached(to, { planned, applied });
  }

  async #store(batch: Pick<EventBatch, 'from' | 'to' | 'steps'>): Promise<readonly Applied[]> {
    const { intake, stream } = this.#options;
    const buried = [...this.#buried];
    const applied = await intake.applyEvents({ stream, ...batch, ...(buried.length > 0 && { buried }) });
    for (const id of buried) this.#buried.delete(id);
    return applied;
  }

  /** It is stored; deal with the steps that could not be applied. */
  async #reached(to: string, { planned, applied }: Stored): Promise<void> {
    this.#place = to;
    const skipped: string[] = [];
    for (const [index, { id }] of planned.entries()) {
      const error = applied[index]?.error;
      if (!error) this.processed++;
      else if (error.code === 'task_deleted') skipped.push(`${id}: ${error.message}`);
    }
    this.#skip(skipped);
    for (const { id, reason } of refusalsOf(planned, applied)) {
      await this.#bury(id, reason);
      this.#buried.add(id);
    }
  }

  /** As long as the store cannot commit but may later, nothing is given up. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      this.#options.signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        const fault = asTrailError(error);
        if (!ERRORS[fault.code].retry) throw fault;
        if (tries === 1) this.#options.log.warn(`events wait until they can be stored: ${fault.message}`);
        await this.#pause(tries);
      }
    }
  }

  async #bury(id: string, reason: string): Promise<void> {
    const isKnown = this.#refused.delete(id);
    await this.#options.events.bury(id, reason, isKnown);
    if (isKnown) this.#buried.add(id);
    this.buried++;
    this.#options.log.warn(`event ${id} is moved to ${this.#options.events.dead}: ${reason}`);
  }

  /** All that lay at or before the place has been seen: what was refused of it and did not come is buried, or was deleted. */
  #forget(): void {
    for (const id of this.#refused.keys()) this.#buried.add(id);
    this.#refused.clear();
  }

  /** One warning for all of a batch: a publisher that does it wrong does it again and again. */
  #skip(skipped: readonly string[]): void {
    if (skipped.length === 0) return;
    this.skipped += skipped.length;
    const more = skipped.length > 1 ? `, and ${skipped.length - 1} more` : '';
    this.#options.log.warn(`events are left out: ${skipped[0]}${more}`);
  }

  async #pause(tries: number): Promise<void> {
    const ms = Math.min(RETRY_FIRST_MS * 2 ** Math.min(tries - 1, 10), RETRY_MAX_MS);
    await delay(ms, undefined, { signal: this.#options.signal });
  }

  /** Not the store's refusal of an event: the end of this reader, or Redis. */
  #isOver(error: unknown): boolean {
    if (this.#options.signal.aborted || !(error instanceof TrailError)) return true;
    return error.code === 'event_conflict';
  }
}
