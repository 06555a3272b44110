import { askedTime, invalidParameter } from './asked-time.ts';
import { ANALYTICS_DAYS } from './limits.ts';
import type { Status } from './status.ts';
import { isoTime, parseTime } from './time.ts';

export const ANALYTICS_GROUPS = ['day', 'source', 'agent', 'model', 'status'] as const;
export type AnalyticsGroup = (typeof ANALYTICS_GROUPS)[number];

/** Which tasks are summed up, by when they were made. */
export interface AnalyticsQuery {
  /** ISO 8601: the first moment that counts, and the first that counts no more. */
  readonly from: string;
  readonly to: string;
  readonly groupBy: AnalyticsGroup;
  /** Tell what each group is made of by another word. */
  readonly splitBy?: AnalyticsGroup;
}

/** What tasks came to together. A figure that none of them reported is null, never 0. */
export interface Figures {
  readonly runs: number;
  readonly byStatus: Readonly<Partial<Record<Status, number>>>;
  readonly ended: number;
  /** Completed ones of those that ended; null when none did. */
  readonly successRate: number | null;
  readonly costUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheCreationTokens: number | null;
  /** The shortest time within which half of them, and 95 of 100, were done. */
  readonly durationP50Seconds: number | null;
  readonly durationP95Seconds: number | null;
  /** False when times of deleted tasks are among them: those are known to 2.5 %. */
  readonly durationExact: boolean;
  readonly lines: number;
  /** Lines of level ERROR. */
  readonly errors: number;
}

export interface FigureGroup extends Figures {
  /** A day (UTC) or a word; null for the tasks that name none. What is beyond `ANALYTICS_GROUPS_MAX` is summed up as `other`. */
  readonly key: string | null;
  /** With `splitBy`: the same words in every group, the dearest of all `ANALYTICS_PARTS` of them; the rest is `other`. */
  readonly parts?: readonly FigurePart[];
}

/** A part of a group: those of its tasks that have the same word. */
export interface FigurePart
  extends Pick<
    Figures,
    'runs' | 'costUsd' | 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheCreationTokens'
  > {
  readonly key: string | null;
}

export interface CostlyTask {
  readonly taskId: string;
  readonly title: string | null;
  readonly status: Status;
  readonly assignedAgent: string | null;
  readonly costUsd: number;
}

/** Tasks that failed for the same reason, but for numbers, ids and paths. */
export interface FailureGroup {
  /** Null: they told no reason. */
  readonly template: string | null;
  readonly count: number;
  /** The newest of them, and its reason as it stands, by its start. */
  readonly taskId: string;
  readonly example: string | null;
}

/** Deleted tasks count in the figures, by their day; the lists name only tasks that are there. */
export interface Analytics extends AnalyticsQuery {
  readonly total: Figures;
  /** Days in their order, others by their runs. */
  readonly groups: readonly FigureGroup[];
  readonly topCost: readonly CostlyTask[];
  readonly topFailures: readonly FailureGroup[];
  /** False when only the newest `FAILURES_READ` failed tasks were looked at. */
  readonly topFailuresExact: boolean;
}

/** What a caller says of it: times as the contract allows them, anything left out as it usually is. */
export interface AnalyticsAsked {
  readonly from?: string;
  readonly to?: string;
  readonly groupBy?: AnalyticsGroup;
  readonly splitBy?: AnalyticsGroup;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The last 30 days (UTC), today as a whole, unless it is asked otherwise. Throws `invalid_parameter`. */
export function analyticsQuery({ from, to, groupBy = 'day', splitBy }: AnalyticsAsked, nowMs: number): AnalyticsQuery {
  const until = to === undefined ? isoTime(startOfDay(nowMs) + DAY_MS) : askedTime('to', to);
  const since = from === undefined ? daysBefore(until) : askedTime('from', from);
  if (since >= until) throw invalidParameter('from', `expected a time before ${until}`, since);
  return { from: since, to: until, groupBy, ...(splitBy && { splitBy }) };
}

/** The day (UTC) of a moment in ISO 8601. */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}

function daysBefore(until: string): string {
  // The last moment that counts lies on the last day.
  const ms = startOfDay(Date.parse(until) - 1) - (ANALYTICS_DAYS - 1) * DAY_MS;
  return parseTime(ms) ?? '0000-01-01T00:00:00.000Z';
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
