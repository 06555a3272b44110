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

/** One bound of what a run may cost, with what was spent of it before. */
export interface Limit {
  readonly of: 'task' | 'day';
  readonly unit: Unit;
  readonly max: number;
  readonly before: number;
}

/** The figures that are bounded, and how they are said. */
const UNITS = {
  usd: { of: (figures: Partial<Metrics>) => figures.costUsd ?? 0, said: usd, setting: 'USD' },
  tokens: { of: tokensOf, said: (count: number) => `${count.toLocaleString('en')} tokens`, setting: 'TOKENS' },
} as const;
type Unit = keyof typeof UNITS;

export class Budget {
  readonly #options: BudgetOptions;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** The bounds of a run whose task has cost so much before. Throws `budget_spent` when nothing is left of one. */
  async limits(before: Partial<Metrics>): Promise<readonly Limit[]> {
    const { taskUsd, taskTokens, dailyUsd, dailyTokens, spentToday } = this.#options;
    const daily = dailyUsd !== null || dailyTokens !== null;
    const today = daily ? await spentToday() : { usd: 0, tokens: 0 };
    const limits = [
      ...bound('task', 'usd', taskUsd, UNITS.usd.of(before)),
      ...bound('task', 'tokens', taskTokens, UNITS.tokens.of(before)),
      ...bound('day', 'usd', dailyUsd, today.usd),
      ...bound('day', 'tokens', dailyTokens, today.tokens),
    ];
    const spent = limits.find(({ max, before: used }) => used >= max);
    if (spent) throw new TrailError('budget_spent', refusal(spent));
    return limits;
  }
}

function bound(of: Limit['of'], unit: Unit, max: number | null, before: number): Limit[] {
  return max === null ? [] : [{ of, unit, max, before }];
}

function refusal(limit: Limit): string {
  const { said, setting } = UNITS[limit.unit];
  const amount = `${said(limit.before)} of ${said(limit.max)}`;
  return limit.of === 'day'
    ? `today's agents have cost ${amount}; raise TASKTRAIL_AGENT_DAILY_${setting}, or wait until tomorrow (UTC)`
    : `the task has cost ${amount}; raise TASKTRAIL_AGENT_TASK_${setting}`;
}

export interface WatchOptions {
  readonly child: Pick<CommandRun, 'stop'>;
  readonly limits: readonly Limit[];
  readonly stallMinutes: number;
  readonly warn: (message: string) => void;
}

/** Watches one process: silence is warned of, a budget that is used up and an exit that does not come end it. */
export class AgentWatch {
  /** Why it was ended for its cost. */
  overspent: string | undefined;
  readonly #options: WatchOptions;
  readonly #warned = new Set<Limit>();
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

  /** The run has cost so much, without what its task had cost before. */
  spent(figures: Partial<Metrics>): void {
    for (const limit of this.#options.limits) this.#spent(limit, figures);
  }

  #spent(limit: Limit, figures: Partial<Metrics>): void {
    if (this.overspent !== undefined) return;
    const { warn, child } = this.#options;
    const { of, unit, max, before } = limit;
    const { said } = UNITS[unit];
    const used = before + UNITS[unit].of(figures);
    if (used >= max) {
      this.overspent = `the budget of the ${of} is used up: ${said(used)} of ${said(max)}`;
      warn(`Ended: ${this.overspent}`);
      child.stop();
    } else if (used >= max * WARN_AT && !this.#warned.has(limit)) {
      this.#warned.add(limit);
      warn(`${Math.floor((used / max) * 100)} % of the budget of the ${of} is used: ${said(used)} of ${said(max)}`);
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
