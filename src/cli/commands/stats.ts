import { checkTaskId } from '../../core/id.ts';
import { LEVELS } from '../../core/level.ts';
import { PAGE_TASKS_MAX } from '../../core/limits.ts';
import type { LogStats } from '../../core/query.ts';
import type { Trail } from '../../core/trail.ts';
import { statsToWire } from '../../core/wire.ts';
import type { Config } from '../settings.ts';
import { safeText, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface StatsOptions {
  readonly json?: boolean;
}

/** Count a task's lines, or sum up all tasks. */
export async function stats(
  terminal: Terminal,
  config: Config,
  id: string | undefined,
  options: StatsOptions,
): Promise<number> {
  const taskId = id === undefined ? undefined : checkTaskId(id);
  await withTarget(terminal, config, async ({ trail }) => {
    const figures = taskId === undefined ? await totals(trail) : statsToWire(await trail.stats(taskId));
    const text = options.json ? JSON.stringify(figures) : shown(figures);
    await terminal.print(`${text}\n`);
  });
  return 0;
}

interface Totals {
  readonly tasks: number;
  readonly by_status: Record<string, number>;
  readonly total: number;
  readonly by_level: LogStats['byLevel'];
  readonly lost: number;
}

async function totals(trail: Trail): Promise<Totals> {
  const byStatus: Record<string, number> = {};
  const byLevel = { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 };
  let [count, total, lost] = [0, 0, 0];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await trail.tasks({ limit: PAGE_TASKS_MAX, ...(cursor !== undefined && { cursor }) });
    for (const { status, log } of page.tasks) {
      byStatus[status] = (byStatus[status] ?? 0) + 1;
      for (const level of LEVELS) byLevel[level] += log.byLevel[level];
      total += log.total;
      lost += log.lost;
    }
    count += page.tasks.length;
    cursor = page.nextCursor;
  }
  return { tasks: count, by_status: byStatus, total, by_level: byLevel, lost };
}

/** One figure a line; groups of figures set in below their name. */
function shown(figures: object): string {
  return Object.entries(figures)
    .flatMap(([name, value]) => {
      if (typeof value !== 'object' || value === null) return [row(name, value)];
      const parts = Object.entries(value as Record<string, unknown>).filter(([, count]) => count !== 0);
      return parts.length === 0
        ? []
        : [name.replaceAll('_', ' '), ...parts.map(([key, count]) => row(`  ${key}`, count))];
    })
    .join('\n');
}

function row(name: string, value: unknown): string {
  return `${safeText(name.replaceAll('_', ' '), { colour: false }).padEnd(24)} ${value ?? '-'}`;
}
