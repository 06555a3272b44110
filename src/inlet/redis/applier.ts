import { setTimeout as delay } from 'node:timers/promises';
import { asTrailError, ERRORS, TrailError } from '../../core/error.ts';
import type { EventStep, Refusal } from '../../core/event.ts';
import { refusalsOf } from '../../core/event-place.ts';
import { EVENT_TRIES, RETRY_FIRST_MS, RETRY_MAX_MS } from '../../core/limits.ts';
import type { Applied, Intake } from '../../core/ports.ts';
import type { Clock } from '../../core/time.ts';
import { readEvent } from './event.ts';
import { type EventStream, isAfter, type StreamEntry } from './stream.ts';

export interface ApplierOptions {
  readonly intake: Pick<Intake, 'applyEvents' | 'check'>;
  readonly events: EventStream;
  /** The stream's name, under which its place is kept. */
  readonly stream: string;
  readonly clock: Clock;
  readonly log: { warn(message: string): void };
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/** An entry that was understood. */
type Planned = EventStep & { readonly id: string };

/**
 * Applies entries in the order of the stream and acknowledges them:
 *
 *   at or before the place ─▶ acknowledged: it was stored already, or was refused and is put to the dead ones now
 *   not understood         ─▶ the dead ones, with the reason
 *   no type, no task       ─▶ left out with a warning
 *   all others             ─▶ one commit together with the place ─▶ what it refused: the dead ones ─▶ acknowledged
 *
 * While the store cannot commit it waits. What the store cannot stand for another reason is found by committing one by one.
 */
export class Applier {
  /** How far the stream is stored, as this reader knows. */
  place: string | null = null;
  /** What the last commit refused and may not be dead yet: whoever made it may have been killed. */
  refused: readonly Refusal[] = [];
  processed = 0;
  skipped = 0;
  buried = 0;
  /** Whether the store still keeps some that are dead by now. */
  #keepsBuried = false;
  readonly #options: ApplierOptions;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Throws `event_conflict` when another reader moved the place, and the signal's reason when it is aborted. */
  async apply(entries: readonly StreamEntry[]): Promise<void> {
    const { events } = this.#options;
    const { place } = this;
    const fresh = place === null ? entries : entries.filter(({ id }) => isAfter(id, place));
    await this.#buryRefused(entries);
    const last = fresh.at(-1);
    if (last) await this.#applyAll(await this.#plan(fresh), last.id);
    await this.#forgetBuried();
    await events.acknowledge(entries.map(({ id }) => id));
  }

  async #plan(entries: readonly StreamEntry[]): Promise<readonly Planned[]> {
    const planned: Planned[] = [];
    const skipped: string[] = [];
    for (const { id, fields } of entries) {
      const read = readEvent(fields, this.#options.clock.now());
      if (read.kind === 'step') planned.push({ ...read.step, id });
      else if (read.kind === 'skipped') skipped.push(`${id}: ${read.reason}`);
      else await this.#bury(id, read.reason);
    }
    this.#skip(skipped);
    return planned;
  }

  async #applyAll(planned: readonly Planned[], to: string): Promise<void> {
    try {
      await this.#commit(planned, to);
    } catch (error) {
      if (this.#isOver(error)) throw error;
      for (const one of planned) await this.#applyOne(one);
      if (this.place !== to) await this.#commit([], to);
    }
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

  /** Commit, and deal with the steps that could not be applied. */
  async #commit(planned: readonly Planned[], to: string): Promise<void> {
    const { intake, stream } = this.#options;
    const batch = { stream, from: this.place, to, steps: planned };
    const applied = await this.#patiently(() => intake.applyEvents(batch));
    this.place = to;
    this.refused = refusalsOf(planned, applied);
    this.#keepsBuried = false;
    this.#tally(planned, applied);
    await this.#buryRefused(planned);
  }

  #tally(planned: readonly Planned[], applied: readonly Applied[]): void {
    const skipped: string[] = [];
    for (const [index, { id }] of planned.entries()) {
      const error = applied[index]?.error;
      if (!error) this.processed++;
      else if (error.code === 'task_deleted') skipped.push(`${id}: ${error.message}`);
    }
    this.#skip(skipped);
  }

  /** Those among the entries; others of them are still to come. */
  async #buryRefused(entries: readonly { readonly id: string }[]): Promise<void> {
    if (this.refused.length === 0) return;
    const ids = new Set(entries.map(({ id }) => id));
    for (const { id, reason } of this.refused) if (ids.has(id)) await this.#bury(id, reason);
    this.refused = this.refused.filter(({ id }) => !ids.has(id));
    this.#keepsBuried = true;
  }

  /** Or they would be buried once more when the group is made again. */
  async #forgetBuried(): Promise<void> {
    if (this.#keepsBuried && this.place !== null) await this.#commit([], this.place);
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
    await this.#options.events.bury(id, reason);
    this.buried++;
    this.#options.log.warn(`event ${id} is moved to ${this.#options.events.dead}: ${reason}`);
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
