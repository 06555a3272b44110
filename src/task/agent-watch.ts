import type { CommandRun } from '../capture/command.ts';
import { TrailError } from '../core/error.ts';
import type { Metrics } from '../core/task.ts';

/** What runs may cost. */
export interface BudgetOptions {
  /** US dollars that one task may cost; null for no limit. */
  readonly taskUsd: number | null;
  /** US dollars that all agents' tasks of a day (UTC) may cost; 0 allows none, null is no limit. */
  readonly dailyUsd: number | null;
  /** The same in tokens, read and written, those of caches included. */
  readonly taskTokens: number | null;
  readonly dailyTokens: number | null;
  /** What the tasks of today have cost so far. */
  readonly spentToday: () => Promise<Spent>;
}

export interface Spent {
  readonly usd: number;
  readonly tokens: number;
}

const WARN_AT = 0.8;
/** A process that has given its result should exit within this time. */
const EXIT_MS = 30_000;
const MINUTE_MS = 60_000;

export class Budget {
  readonly taskUsd: number | null;
  readonly dailyUsd: number | null;
  readonly #spentToday: () => Promise<Spent>;
  /** What is left of the day for tasks that begin now; known after `check`. */
  #left = Number.POSITIVE_INFINITY;

  constructor({ taskUsd, dailyUsd, spentToday }: BudgetOptions) {
    this.taskUsd = taskUsd;
    this.dailyUsd = dailyUsd;
    this.#spentToday = spentToday;
  }

  /** Throws `budget_spent` when nothing is left of the day. */
  async check(): Promise<void> {
    if (this.dailyUsd === null) return;
    const { usd: spent } = await this.#spentToday();
    this.#left = this.dailyUsd - spent;
    if (this.#left > 0) return;
    throw new TrailError(
      'budget_spent',
      `today's agents have cost ${usd(spent)} of ${usd(this.dailyUsd)}; raise TASKTRAIL_AGENT_DAILY_USD, or wait until tomorrow (UTC)`,
    );
  }

  /** The least that a task may still cost, and which budget says so. */
  get limit(): { readonly usd: number; readonly name: string } | undefined {
    const limits = [
      { usd: this.taskUsd ?? Number.POSITIVE_INFINITY, name: 'of the task' },
      { usd: this.#left, name: 'of the day' },
    ].sort((a, b) => a.usd - b.usd);
    return limits[0] && Number.isFinite(limits[0].usd) ? limits[0] : undefined;
  }
}

export interface WatchOptions {
  readonly child: Pick<CommandRun, 'stop'>;
  readonly budget: Budget;
  readonly stallMinutes: number;
  readonly warn: (message: string) => void;
}

/** Watches one process: silence is warned of, a budget that is used up and an exit that does not come end it. */
export class AgentWatch {
  /** Why it was ended for its cost. */
  overspent: string | undefined;
  readonly #options: WatchOptions;
  #warned = false;
  #paused = false;
  #stall: NodeJS.Timeout | undefined;
  #exit: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.heard();
  }

  /** It printed something. */
  heard(): void {
    const { stallMinutes, warn } = this.#options;
    clearTimeout(this.#stall);
    if (stallMinutes <= 0 || this.#paused) return;
    const tell = (): void => warn(`No output for ${stallMinutes} minutes`);
    this.#stall = setTimeout(tell, stallMinutes * MINUTE_MS).unref();
  }

  /** While it is paused it is not expected to print. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.heard();
  }

  spent({ costUsd }: Partial<Metrics>): void {
    const { budget, warn, child } = this.#options;
    const { limit } = budget;
    if (costUsd == null || limit === undefined || this.overspent !== undefined) return;
    if (costUsd >= limit.usd) {
      this.overspent = `the budget ${limit.name} is used up: ${usd(costUsd)} of ${usd(limit.usd)}`;
      warn(`Ended: ${this.overspent}`);
      child.stop();
    } else if (!this.#warned && costUsd >= limit.usd * WARN_AT) {
      this.#warned = true;
      warn(
        `${Math.round((costUsd / limit.usd) * 100)} % of the budget ${limit.name} is used: ${usd(costUsd)} of ${usd(limit.usd)}`,
      );
    }
  }

  /** Its result is there: it should exit soon. False: more is at work. */
  finished(finished: boolean): void {
    const { child, warn } = this.#options;
    clearTimeout(this.#exit);
    if (!finished) return;
    const end = (): void => {
      warn(`No exit ${EXIT_MS / 1000} s after the result: ended`);
      child.stop();
    };
    this.#exit = setTimeout(end, EXIT_MS).unref();
  }

  close(): void {
    clearTimeout(this.#stall);
    clearTimeout(this.#exit);
  }
}

/** Every token that is told of, whatever it was for. */
export function tokensOf(metrics: Partial<Metrics>): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = metrics;
  return (inputTokens ?? 0) + (outputTokens ?? 0) + (cacheReadTokens ?? 0) + (cacheCreationTokens ?? 0);
}

function usd(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`;
}
