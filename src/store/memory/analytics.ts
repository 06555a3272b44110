import type { Analytics, AnalyticsQuery } from '../../core/analytics.ts';
import { errorStart, Failures } from '../../core/failures.ts';
import { dearest, type FigureRow, otherKey, rowOfTask, Summing, sameKey, withDeleted } from '../../core/figures.ts';
import { COUNTED_TASKS, FAILURES_READ, TOTALS_A_DAY } from '../../core/limits.ts';
import type { Task } from '../../core/task.ts';

interface Total {
  row: FigureRow;
  readonly agentRun: boolean;
}

/** What deleted tasks came to, and the answers that they are part of. */
export class DailyTotals {
  readonly #totals: Total[] = [];
  /** Deleted tasks that are in the totals. */
  readonly #counted = new Set<string>();

  count(task: Task): void {
    if (this.#isCounted(task)) return;
    this.#counted.add(markOf(task));
    if (this.#counted.size > COUNTED_TASKS) this.#counted.delete(this.#counted.values().next().value ?? '');
    const row = rowOfTask(task);
    const agentRun = isAgentRun(task);
    const find = (key: FigureRow) =>
      this.#totals.find((total) => total.agentRun === agentRun && sameKey(total.row, key));
    const known = find(row);
    const kept = this.#totals.filter(({ row: { day } }) => day === row.day).length;
    const keyed = known || kept < TOTALS_A_DAY ? row : { ...row, ...otherKey(row) };
    const held = known ?? find(keyed);
    if (held) held.row = withDeleted(held.row, keyed);
    else this.#totals.push({ row: withDeleted(undefined, keyed), agentRun });
  }

  /** Of deleted tasks the day is known: it counts with its first moment. */
  analytics(tasks: readonly Task[], query: AnalyticsQuery): Analytics {
    const within = (time: string): boolean => time >= query.from && time < query.to;
    const live = tasks.filter((task) => within(task.createdAt) && !this.#isCounted(task));
    const summing = new Summing(query);
    for (const task of live) summing.add(rowOfTask(task));
    for (const { row } of this.#totals) if (within(`${row.day}T00:00:00.000Z`)) summing.add(row);
    const failed = live
      .filter(({ status }) => status === 'failed' || status === 'timed_out')
      .reverse()
      .sort((a, b) => (a.createdAt === b.createdAt ? 0 : a.createdAt < b.createdAt ? 1 : -1));
    const failures = new Failures<string>();
    for (const { taskId, error } of failed.slice(0, FAILURES_READ)) {
      failures.add(taskId, error === null ? null : errorStart(error));
    }
    return {
      ...query,
      ...summing.figures(),
      topCost: dearest(live.map((task) => ({ ...task, costUsd: task.metrics.costUsd ?? 0 }))),
      topFailures: failures.top().map(({ id: taskId, ...group }) => ({ ...group, taskId })),
      topFailuresExact: failed.length <= FAILURES_READ,
    };
  }

  spending(day: string): { usd: number; tokens: number } {
    let [usd, tokens] = [0, 0];
    for (const { row, agentRun } of this.#totals) {
      if (!agentRun || row.day !== day) continue;
      usd += row.costUsd ?? 0;
      for (const count of [row.inputTokens, row.outputTokens, row.cacheReadTokens, row.cacheCreationTokens]) {
        tokens += count ?? 0;
      }
    }
    return { usd, tokens };
  }

  #isCounted(task: Task): boolean {
    return this.#counted.has(markOf(task));
  }
}

function isAgentRun({ runner }: Task): boolean {
  return runner?.startsWith('agent:') ?? false;
}

/** The same id may be used again for another task; its moment of creation tells them apart. */
function markOf({ taskId, createdAt }: Task): string {
  return `${taskId} ${createdAt}`;
}
