import type { Analytics, Figures } from '../core/analytics.ts';
import { spanText } from './span.ts';
import { safeText, styled, type Terminal } from './terminal.ts';

const HEAD = ['RUNS', 'SUCCESS', 'COST', 'TOKENS IN', 'OUT', 'CACHED', 'P50', 'P95', 'LINES', 'ERRORS'] as const;
const GAP = '  ';
const KEY_CHARS = 40;
const ERROR_COLUMNS = 100;

/** A row for each group and one for all, then what cost most and why tasks failed. */
export function analyticsTable(analytics: Analytics, { columns = ERROR_COLUMNS, colour }: Screen): string {
  const { from, to, groupBy, groups, total, topCost, topFailures } = analytics;
  const rows = [
    [groupBy.toUpperCase(), ...HEAD],
    ...groups.map(({ key, ...figures }) => [key === null ? '(none)' : word(key, KEY_CHARS), ...cells(figures)]),
    ['TOTAL', ...cells(total)],
  ];
  const cost = topCost.map((task) => [usd(task.costUsd), task.status, task.taskId, word(task.title ?? '', KEY_CHARS)]);
  const failures = topFailures.map((failure) => [
    String(failure.count),
    failure.taskId,
    word(failure.template ?? '(no reason told)', ERROR_COLUMNS),
  ]);
  const short = (text: string): string =>
    text.length > columns ? `${text.slice(0, columns - 1).toWellFormed()}…` : text;
  return [
    `Tasks made from ${from} until ${to}`,
    '',
    ...aligned(rows, 1).map((text, index) => (index === 0 ? styled(text, 'bold', colour) : text)),
    ...(exactOf(analytics) ? [] : ['', '~ with deleted tasks, whose durations are known to 2.5 %']),
    ...section('Dearest tasks', aligned(cost, 0, 1).map(short), colour),
    ...section('Why tasks failed', aligned(failures, 0, 1).map(short), colour),
    '',
  ].join('\n');
}

type Screen = Pick<Terminal, 'columns' | 'colour'>;

function section(title: string, rows: readonly string[], colour: boolean): readonly string[] {
  return rows.length === 0 ? [] : ['', styled(title, 'bold', colour), ...rows];
}

function exactOf({ groups, total }: Analytics): boolean {
  return [total, ...groups].every(({ durationExact }) => durationExact);
}

function cells(figures: Figures): readonly string[] {
  const { runs, successRate, costUsd, inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = figures;
  const about = (seconds: number | null): string =>
    seconds === null ? '-' : `${figures.durationExact ? '' : '~'}${spanText(seconds)}`;
  const cached = cacheReadTokens === null ? cacheCreationTokens : cacheReadTokens + (cacheCreationTokens ?? 0);
  return [
    String(runs),
    successRate === null ? '-' : `${Math.round(successRate * 1000) / 10} %`,
    costUsd === null ? '-' : usd(costUsd),
    ...[inputTokens, outputTokens, cached].map((tokens) => (tokens === null ? '-' : many(tokens))),
    ...[figures.durationP50Seconds, figures.durationP95Seconds].map(about),
    ...[figures.lines, figures.errors].map(many),
  ];
}

/** Columns from `right` on stand at the right, as numbers do; those from `left` on at the left again. */
function aligned(
  rows: readonly (readonly string[])[],
  right: number,
  left = Number.POSITIVE_INFINITY,
): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column >= right && column < left ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(GAP)
      .trimEnd(),
  );
}

function usd(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`;
}

function many(count: number): string {
  return count < 10_000
    ? String(count)
    : Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(count);
}

function word(text: string, chars: number): string {
  const plain = safeText(text.replace(/\s+/g, ' '), { colour: false });
  return plain.length > chars ? `${plain.slice(0, chars - 1).toWellFormed()}…` : plain;
}
