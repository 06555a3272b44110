import type { Analytics, CostlyTask, FailureGroup, FigureGroup, FigurePart, Figures } from './analytics.ts';
import { csvRow } from './csv.ts';
import { STATUSES } from './status.ts';
import { toCamel, toSnake, type Wired } from './wire.ts';

export type WireAnalytics = Omit<Wired<Analytics>, 'total' | 'groups' | 'top_cost' | 'top_failures'> & {
  readonly total: Wired<Figures>;
  readonly groups: readonly WireFigureGroup[];
  readonly top_cost: readonly Wired<CostlyTask>[];
  readonly top_failures: readonly Wired<FailureGroup>[];
};

export type WireFigureGroup = Omit<Wired<FigureGroup>, 'parts'> & { readonly parts?: readonly Wired<FigurePart>[] };

export function analyticsToWire(analytics: Analytics): WireAnalytics {
  return {
    ...toSnake(analytics),
    total: toSnake(analytics.total),
    groups: analytics.groups.map(({ parts, ...group }) => ({
      ...toSnake(group),
      ...(parts && { parts: parts.map((part) => toSnake(part)) }),
    })),
    top_cost: analytics.topCost.map((task) => toSnake(task)),
    top_failures: analytics.topFailures.map((failure) => toSnake(failure)),
  };
}

export function analyticsOfWire(wire: WireAnalytics): Analytics {
  return {
    ...toCamel<Analytics>(wire),
    total: toCamel(wire.total),
    groups: wire.groups.map(({ parts, ...group }) => ({
      ...toCamel<FigureGroup>(group),
      ...(parts && { parts: parts.map((part) => toCamel<FigurePart>(part)) }),
    })),
    topCost: wire.top_cost.map((task) => toCamel(task)),
    topFailures: wire.top_failures.map((failure) => toCamel(failure)),
  };
}

/** A row for each group, under names: what the group is, its figures, and how many of its tasks have each status. */
export function analyticsCsv(analytics: Analytics): string {
  const { group_by: by, groups, total } = analyticsToWire(analytics);
  const names = Object.keys(total).filter((name) => name !== 'by_status') as Exclude<keyof typeof total, 'by_status'>[];
  const rows = groups.map((group) => [
    group.key,
    ...names.map((name) => group[name]),
    ...STATUSES.map((status) => group.by_status[status] ?? 0),
  ]);
  return [[by, ...names, ...STATUSES], ...rows].map(csvRow).join('');
}
