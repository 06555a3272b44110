import type { LogFilter } from '../../core/filter.ts';
import type { Status } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';

/** What is told to Slack without being asked. */
export interface NoticeSettings {
  /** Null: the channel of the incoming webhook. */
  readonly channel: string | null;
  /** Statuses that are told of. */
  readonly on: readonly Status[];
  readonly rules: readonly Rule[];
}

/** Told when all that it names is so. */
export interface Rule {
  readonly name: string;
  /** Null: the channel of all. */
  readonly channel: string | null;
  /** So long it does not tell of the same task again. */
  readonly coolDownMs: number;
  /** The lines that it looks for; null for a rule about the task alone. */
  readonly lines: LogFilter | null;
  readonly statuses?: readonly Status[];
  readonly minCostUsd?: number;
  readonly source?: string;
  readonly agent?: string;
  readonly kind?: string;
}

/** The line that says an agent is silent. */
export const STALLED: LogFilter = {
  levels: ['WARNING'],
  sources: ['system'],
  search: '^No output for [0-9.]+ minutes?$',
  regex: true,
};

/** Whether a task is as a rule wants it; lines are another matter. */
export function fits(rule: Rule, { status, metrics, source, provider, assignedAgent, kind }: Task): boolean {
  return (
    (rule.statuses === undefined || rule.statuses.includes(status)) &&
    (rule.minCostUsd === undefined || (metrics.costUsd !== null && metrics.costUsd >= rule.minCostUsd)) &&
    (rule.source === undefined || rule.source === source || rule.source === provider) &&
    (rule.agent === undefined || rule.agent === assignedAgent) &&
    (rule.kind === undefined || rule.kind === kind)
  );
}
