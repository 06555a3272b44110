import { asTrailError } from '../core/error.ts';
import { Children } from './children.ts';
import type { SharedDistribution, SharedWork } from './distribution.ts';
import type { TaskParts } from './parts.ts';
import { type RecoveryOptions, recover } from './recovery.ts';
import { KINDS, type Kind } from './registry.ts';
import { isWaiting } from './steps.ts';

export interface LeadingOptions {
  readonly parts: TaskParts;
  readonly workers: SharedWork['workers'];
  readonly distributions: Readonly<Partial<Record<Kind, SharedDistribution>>>;
  readonly plugin: RecoveryOptions['plugin'];
  /** Told what could not be done; it is tried again. */
  readonly warn: (message: string) => void;
}

/** Changes of tasks are looked at together. */
const GATHER_MS = 30;
/** So often all that waits is offered again: what is lost on the way is found. */
const OFFER_EVERY_MS = 5_000;
/** Of what waits so many are offered at once, the first ones; the others follow. */
const OFFERED = 1_000;
/** So often it is asked whether a worker is gone. */
const GONE_EVERY_MS = 2_000;
/** So often every task at work is looked at, whoever is known to run tasks. */
const ALL_EVERY_MS = 60_000;

/**
 * What the owner of a data directory does for all who run its tasks: it offers what waits to them, and settles what those left behind
 * who are gone.
 */
export class Leading {
  readonly #options: LeadingOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #unwatch: () => void;
  #gathering: NodeJS.Timeout | undefined;
  /** Offered since the last sweep. */
  #offered = new Set<string>();
  #offering: Promise<void> = Promise.resolve();
  #settling: Promise<void> = Promise.resolve();
  #closed = false;

  /** Begins at once. */
  constructor(options: LeadingOptions) {
    this.#options = options;
    const every = (ms: number, work: () => void): void => void this.#timers.push(setInterval(work, ms).unref());
    every(OFFER_EVERY_MS, () => this.#sweep());
    every(GONE_EVERY_MS, () => this.#settle(() => this.#settleGone()));
    every(ALL_EVERY_MS, () => this.#settle(() => this.#recover()));
    this.#unwatch = options.parts.live.watch(() => {
      this.#gathering ??= setTimeout(() => {
        this.#gathering = undefined;
        this.#offer();
      }, GATHER_MS).unref();
    });
    this.#settle(() => this.#recover());
    this.#sweep();
  }

  /** Ends after what is under way. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    clearTimeout(this.#gathering);
    for (const timer of this.#timers) clearInterval(timer);
    await this.#settling;
    await this.#offering;
  }

  #sweep(): void {
    this.#offered.clear();
    this.#offer();
  }

  #offer(): void {
    this.#offering = this.#offering.then(async () => {
      for (const [kind, distribution] of Object.entries(this.#options.distributions)) {
        // What cannot be offered now is offered by the next sweep.
        if (!this.#closed) await this.#offerTo(distribution, KINDS[kind as Kind].prefix).catch(() => {});
      }
    });
  }

  async #offerTo(distribution: SharedDistribution, prefix: string): Promise<void> {
    const found = await this.#options.parts.store.runs(['queued', 'approved'], OFFERED, prefix);
    const waiting = found.filter(isWaiting);
    const fresh = waiting.filter(({ taskId, updatedAt }) => !this.#offered.has(`${taskId} ${updatedAt}`));
    if (fresh.length === 0) return;
    await distribution.offer(fresh);
    for (const { taskId, updatedAt } of fresh) this.#offered.add(`${taskId} ${updatedAt}`);
  }

  /** One thing after the other. */
  #settle(work: () => Promise<void>): void {
    this.#settling = this.#settling.then(async () => {
      if (this.#closed) return;
      try {
        await work();
      } catch (error) {
        const { message } = asTrailError(error);
        if (!this.#closed) this.#options.warn(`tasks of servers that are gone: ${message}; it is tried again`);
      }
    });
  }

  async #settleGone(): Promise<void> {
    const { workers, parts } = this.#options;
    const gone = await workers.gone();
    if (gone.length === 0) return;
    for (const worker of gone) await Children.endAll(parts.intake, worker);
    await this.#recover();
    for (const worker of gone) await workers.forget(worker);
  }

  async #recover(): Promise<void> {
    const { parts, plugin, workers } = this.#options;
    await recover(parts, { plugin, isAlive: (worker) => workers.isAlive(worker) });
  }
}
