import { ANALYTICS_GROUPS, type AnalyticsAsked, type AnalyticsGroup } from '../../core/analytics.ts';
import { TrailError } from '../../core/error.ts';
import { checkTaskId } from '../../core/id.ts';
import { statsToWire } from '../../core/wire.ts';
import { analyticsCsv, analyticsToWire } from '../../core/wire-analytics.ts';
import { readMoment } from '../../query/quantity.ts';
import { analyticsTable } from '../analytics-table.ts';
import type { Config } from '../settings.ts';
import { jsonText, safeText, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface StatsOptions {
  readonly from?: string;
  readonly to?: string;
  readonly groupBy?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** Count a task's lines, or sum up what the tasks of a time came to. */
export async function stats(
  terminal: Terminal,
  config: Config,
  id: string | undefined,
  options: StatsOptions,
): Promise<number> {
  return id === undefined ? analytics(terminal, config, options) : counts(terminal, config, checkTaskId(id), options);
}

async function counts(terminal: Terminal, config: Config, taskId: string, options: StatsOptions): Promise<number> {
  const [flag] = (['from', 'to', 'groupBy', 'csv'] as const).filter((name) => options[name] !== undefined);
  if (flag !== undefined) {
    const name = flag === 'groupBy' ? 'group-by' : flag;
    throw new TrailError('invalid_usage', `--${name}: it goes with all tasks; leave out the task's id`);
  }
  await withTarget(terminal, config, async ({ trail }) => {
    const figures = statsToWire(await trail.stats(taskId));
    await terminal.print(`${options.json ? jsonText(figures) : shown(figures)}\n`);
  });
  return 0;
}

async function analytics(terminal: Terminal, config: Config, options: StatsOptions): Promise<number> {
  const asked = askedBy(options, Date.now());
  await withTarget(terminal, config, async ({ trail }) => {
    const answer = await trail.analytics(asked);
    if (options.csv) await terminal.print(csvFor(terminal, analyticsCsv(answer)));
    else if (options.json) await terminal.print(`${jsonText(analyticsToWire(answer))}\n`);
    else await terminal.print(analyticsTable(answer, terminal));
  });
  return 0;
}

/** Words of strangers do nothing to a person's terminal; a file gets them as they are. */
function csvFor({ columns }: Terminal, csv: string): string {
  if (columns === undefined) return csv;
  return csv
    .split('\r\n')
    .map((row) => safeText(row, { colour: false }))
    .join('\n');
}

function askedBy({ from, to, groupBy }: StatsOptions, nowMs: number): AnalyticsAsked {
  if (groupBy !== undefined && !ANALYTICS_GROUPS.includes(groupBy as AnalyticsGroup)) {
    throw new TrailError('invalid_usage', `--group-by: expected ${ANALYTICS_GROUPS.join(', ')}, got ${groupBy}`);
  }
  return {
    ...(from !== undefined && { from: moment('--from', from, nowMs) }),
    ...(to !== undefined && { to: moment('--to', to, nowMs) }),
    ...(groupBy !== undefined && { groupBy: groupBy as AnalyticsGroup }),
  };
}

function moment(flag: string, text: string, nowMs: number): string {
  const time = readMoment(text, nowMs);
  if (time !== undefined) return time;
  throw new TrailError(
    'invalid_usage',
    `${flag}: expected ISO 8601, Unix milliseconds or how long ago (-7d), got ${text}`,
  );
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
