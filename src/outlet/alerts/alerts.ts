import { setTimeout as delay } from 'node:timers/promises';
import type {
  Alert,
  AlertControl,
  AlertDefinition,
  AlertDelivery,
  AlertPreview,
  AlertState,
  PreviewWish,
} from '../../core/alert.ts';
import type { JsonObject } from '../../core/entry.ts';
import { type Clock, systemClock } from '../../core/time.ts';
import type { OutletParts } from '../follower.ts';
import type { Accounts } from '../replies/request.ts';
import { type BookParts, RuleBook } from './book.ts';
import { Evaluator, PLACE, watchesIn } from './evaluator.ts';
import { sendTest } from './outbox.ts';
import { previewOf } from './preview.ts';
import { type Rule, ruleOf } from './rule.ts';
import { Watch } from './watch.ts';

export interface AlertsParts extends Pick<OutletParts, 'store' | 'live' | 'publicUrl' | 'log'> {
  readonly intake: BookParts['intake'];
  readonly clock?: Clock;
  readonly accounts: Pick<Accounts, 'slack' | 'slackWebhook'>;
  readonly outbound: BookParts['outbound'];
  readonly readQuery: BookParts['readQuery'];
  readonly configured: BookParts['configured'];
}

const PREVIEW_MS = 7 * 24 * 60 * 60 * 1000;
const AGAIN_MS = 1_000;

/**
 * The alerts of a server. Rules are the affair of every server; only the one that was started judges them, the others show what that
 * one has kept. Without an enabled rule nothing is followed.
 */
export class Alerts implements AlertControl {
  readonly #parts: AlertsParts;
  readonly #clock: Clock;
  readonly #book: RuleBook;
  readonly #stop = new AbortController();
  #isStarted = false;
  #evaluator: Evaluator | undefined;
  /** One after the other: starting and stopping take their time. */
  #aligning: Promise<void> = Promise.resolve();

  /** Throws `invalid_alert` for a bad rule in the config. */
  constructor(parts: AlertsParts) {
    const { intake, clock = systemClock, readQuery, configured, outbound } = parts;
    this.#parts = parts;
    this.#clock = clock;
    this.#book = new RuleBook({ intake, clock, readQuery, configured, outbound });
  }

  /** Judge rules here from now on. */
  start(): void {
    this.#isStarted = true;
    void this.#begin();
  }

  /** Resolves when everything that was committed before the call is counted and told. */
  async settled(): Promise<void> {
    await this.#align();
    await this.#evaluator?.settled();
    await this.#evaluator?.sent();
  }

  /** Look what other servers have changed. */
  async refresh(): Promise<void> {
    await this.#book.refresh();
    await this.#align();
  }

  /** Send what is under way, unless that takes too long, and stop. Safe to call twice. */
  async close(): Promise<void> {
    this.#isStarted = false;
    this.#stop.abort();
    await this.#evaluator?.close();
    await this.#aligning;
    // One that was only just made.
    await this.#evaluator?.close();
  }

  async all(): Promise<readonly Alert[]> {
    const [rules, saved] = await Promise.all([this.#book.all(), this.#saved()]);
    return rules.map((rule) => this.#alertOf(rule, saved));
  }

  async find(id: string): Promise<Alert> {
    return this.#alertOf(await this.#book.find(id), await this.#saved());
  }

  create(id: string | null, definition: AlertDefinition): Promise<Alert> {
    return this.#changed(this.#book.create(id, definition));
  }

  replace(id: string, definition: AlertDefinition): Promise<Alert> {
    return this.#changed(this.#book.replace(id, definition));
  }

  async delete(id: string): Promise<void> {
    await this.#book.delete(id);
    await this.#align();
  }

  async preview(definition: AlertDefinition, { fromMs, toMs, signal }: PreviewWish = {}): Promise<AlertPreview> {
    const { store, intake, readQuery } = this.#parts;
    const nowMs = this.#clock.now();
    const facts = { id: 'preview', fixed: false, definition, createdAt: null, updatedAt: null };
    const rule = ruleOf(facts, { readQuery, mask: (text) => intake.mask(text), nowMs });
    // A line of this very millisecond counts too.
    const to = toMs ?? nowMs + 1;
    return previewOf(store, rule, { fromMs: fromMs ?? to - PREVIEW_MS, toMs: to, ...(signal && { signal }) });
  }

  async test(id: string): Promise<readonly AlertDelivery[]> {
    return sendTest(await this.#book.find(id), { ...this.#outbox, nowMs: this.#clock.now() });
  }

  async #changed(change: Promise<Rule>): Promise<Alert> {
    const { id } = await change;
    await this.#align();
    return this.find(id);
  }

  get #outbox() {
    const { store, intake, publicUrl, accounts, outbound } = this.#parts;
    return { parts: { store, intake, publicUrl }, accounts, outbound };
  }

  /** Until it works: the store may be away for a moment. */
  async #begin(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        return await this.#align(false);
      } catch (error) {
        this.#parts.log.warn(`alerts: ${error instanceof Error ? error.message : String(error)}; it is tried again`);
        await delay(AGAIN_MS, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
      }
    }
  }

  /** Judge what the rules say now. */
  #align(waits = true): Promise<void> {
    const aligned = this.#aligning.then(async () => {
      if (!this.#isStarted) return;
      const rules = await this.#book.all();
      if (!rules.some(({ definition }) => definition.enabled)) return this.#rest();
      if (this.#evaluator) return this.#evaluator.follow(rules);
      const { store, live, log, intake } = this.#parts;
      const evaluator = new Evaluator({ store, live, log, intake, clock: this.#clock, outbox: this.#outbox });
      evaluator.follow(rules);
      evaluator.start();
      this.#evaluator = evaluator;
      // Who is told that a rule stands may rely on it.
      if (waits) await evaluator.settled();
    });
    this.#aligning = aligned.catch(() => {});
    return aligned;
  }

  /** Nothing is followed, and so the place is no longer true: the next rule begins with what comes then. */
  async #rest(): Promise<void> {
    await this.#evaluator?.close();
    this.#evaluator = undefined;
    if ((await this.#parts.intake.setting(PLACE)) !== null) await this.#parts.intake.setSetting(PLACE, null);
  }

  /** What the server that judges has kept; here it is known better. */
  async #saved(): Promise<Readonly<Record<string, JsonObject>>> {
    return this.#evaluator ? {} : watchesIn(await this.#parts.intake.setting(PLACE));
  }

  #alertOf(rule: Rule, saved: Readonly<Record<string, JsonObject>>): Alert {
    const { id, fixed, definition, createdAt, updatedAt } = rule;
    return { id, fixed, definition, createdAt, updatedAt, state: this.#stateOf(rule, saved[id]) };
  }

  #stateOf(rule: Rule, saved: JsonObject | undefined): AlertState {
    if (this.#evaluator) return this.#evaluator.state(rule);
    const watch = new Watch(rule);
    if (saved) watch.read(saved);
    return watch.state(this.#clock.now());
  }
}
