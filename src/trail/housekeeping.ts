import type { AuditDraft } from '../core/audit.ts';
import { PRUNE_EVERY_MS, PRUNE_TASKS, STALE_EVERY_MS } from '../core/limits.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import { type Clock, isoTime, systemClock } from '../core/time.ts';
import { type PruneRules, pruneStep, retentionDetails, rulesOf } from '../intake/prune.ts';

export interface HousekeepingOptions {
  /** Delete tasks that ended so many days ago (0: never). */
  readonly retentionDays: number;
  /** Delete what ended first while the store and the files of tasks take more (0: never). */
  readonly maxBytes: number;
  /** Fail outside tasks of which nothing was heard for so many seconds (0: never). */
  readonly staleAfterSeconds: number;
  /** Told what could not be done; it is tried again at the next turn. */
  readonly warn: (message: string) => void;
  readonly clock?: Clock;
}

/** What the audit says of a run that deleted something. */
const RUN: Omit<AuditDraft, 'details'> = {
  actor: { kind: 'system', name: 'housekeeping', role: null, address: null },
  action: 'retention.delete',
  target: { type: 'retention', id: null },
  requestId: null,
  outcome: 'done',
};

interface Parts {
  readonly store: StoreReader;
  readonly intake: Intake;
}

/** What the owner of a data directory does beside serving: delete what is too old or too much, notice who has vanished. */
export class Housekeeping {
  readonly #parts: Parts;
  readonly #options: HousekeepingOptions;
  readonly #clock: Clock;
  readonly #timers: NodeJS.Timeout[];
  readonly #stop = Promise.withResolvers<void>();
  #lastLookMs: number;
  #working: Promise<void> | undefined;
  #closed = false;

  /** Prunes and tidies at once and then each hour; looks for the vanished each minute. */
  constructor(parts: Parts, options: HousekeepingOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    // Who reports gets a minute to be heard again after we were away.
    this.#lastLookMs = this.#clock.now();
    const prune = (): void => this.#do(() => this.#prune());
    const look = (): void => this.#do(() => this.#failVanished());
    this.#timers = [setInterval(prune, PRUNE_EVERY_MS)];
    if (options.staleAfterSeconds > 0) this.#timers.push(setInterval(look, STALE_EVERY_MS));
    prune();
  }

  /** Resolves when what is under way is done. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working;
  }

  /** Ends after the step under way. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop.resolve();
    for (const timer of this.#timers) clearInterval(timer);
    await this.settled();
  }

  /** One thing after the other: two that delete by size would each delete for both. */
  #do(work: () => Promise<void>): void {
    const turn = (this.#working ?? Promise.resolve()).then(async () => {
      try {
        if (!this.#closed) await work();
      } catch (error) {
        if (!this.#closed) this.#options.warn(`housekeeping: ${(error as Error).message}; it is tried again later`);
      }
      if (this.#working === turn) this.#working = undefined;
    });
    this.#working = turn;
  }

  async #prune(): Promise<void> {
    const { intake } = this.#parts;
    const rules = rulesOf(this.#options);
    // Sizes are estimates: when the room is given back, it is looked again whether it is enough.
    let tasks = 0;
    for (let gone = -1; gone !== 0 && !this.#closed; tasks += gone) {
      gone = await this.#pruneAll(rules);
      if (gone > 0) await Promise.race([intake.tidied(), this.#stop.promise]);
    }
    if (tasks > 0) await intake.audit({ ...RUN, details: retentionDetails(tasks, rules) });
    // What expires by itself, an old delivery for one, waits for no task to be deleted.
    if (!this.#closed) await Promise.race([intake.tidied(), this.#stop.promise]);
  }

  async #pruneAll(rules: PruneRules): Promise<number> {
    let gone = 0;
    let cursor: string | null | undefined;
    while (cursor !== null && !this.#closed) {
      const pruned = await pruneStep(this.#parts, {
        rules,
        dryRun: false,
        nowMs: this.#clock.now(),
        cursor,
      });
      gone += pruned.tasks.length;
      cursor = pruned.nextCursor;
    }
    return gone;
  }

  async #failVanished(): Promise<void> {
    const nowMs = this.#clock.now();
    const sinceMs = nowMs - this.#lastLookMs;
    this.#lastLookMs = nowMs;
    // The machine slept, and so did those who report: they too get a minute.
    if (sinceMs > 2 * STALE_EVERY_MS || sinceMs < 0) return;
    const heardBefore = isoTime(nowMs - this.#options.staleAfterSeconds * 1_000);
    while (!this.#closed) {
      const gone = await this.#parts.intake.failVanished(heardBefore, PRUNE_TASKS);
      if (gone.length < PRUNE_TASKS) return;
    }
  }
}
