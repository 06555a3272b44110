import { ANALYTICS_GROUPS, type FigurePart } from '../../core/analytics.ts';
import type { Wired } from '../../core/wire.ts';
import type { WireAnalytics } from '../../core/wire-analytics.ts';
import { count } from './text.ts';

/** What the bars are stacked by, and the rows of the table. */
export const COST_GROUPS = ANALYTICS_GROUPS.filter((name) => name !== 'day' && name !== 'status');
export type CostGroup = (typeof COST_GROUPS)[number];
export const COST_RANGES = ['7d', '30d', '90d', 'month'] as const;
export type CostRange = (typeof COST_RANGES)[number];
export const COST_MEASURES = ['cost', 'tokens', 'runs'] as const;
export type CostMeasure = (typeof COST_MEASURES)[number];

const DAY_MS = 24 * 60 * 60 * 1000;

/** What the screen shows; all of it stands in the address. Days are UTC, as the totals of deleted tasks are. */
export interface CostView {
  readonly range: CostRange | { readonly from: string; readonly to: string };
  readonly by: CostGroup;
  readonly measure: CostMeasure;
}

/** Read the address. What is not valid in it is left out. */
export function readCostView(params: URLSearchParams): CostView {
  const [from, to] = [dayIn(params.get('from')), dayIn(params.get('to'))];
  return {
    range: from && to && from <= to ? { from, to } : oneOf(COST_RANGES, params.get('range'), '30d'),
    by: oneOf(COST_GROUPS, params.get('by'), 'model'),
    measure: oneOf(COST_MEASURES, params.get('show'), 'cost'),
  };
}

export function costViewParams({ range, by, measure }: CostView): URLSearchParams {
  const params = new URLSearchParams();
  if (typeof range === 'object') {
    params.set('from', range.from);
    params.set('to', range.to);
  } else if (range !== '30d') params.set('range', range);
  if (by !== 'model') params.set('by', by);
  if (measure !== 'cost') params.set('show', measure);
  return params;
}

/** The first day that counts, and the last one. */
export function daysOf(range: CostView['range'], nowMs: number): { readonly from: string; readonly to: string } {
  if (typeof range === 'object') return range;
  const to = dayAt(nowMs);
  if (range === 'month') return { from: `${to.slice(0, 8)}01`, to };
  return { from: dayAt(nowMs - (Number.parseInt(range, 10) - 1) * DAY_MS), to };
}

export function dayAfter(day: string): string {
  return dayAt(Date.parse(day) + DAY_MS);
}

export function dayAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** One bar: a day, and what it is made of in the order of the legend. */
export interface Bar {
  readonly day: string;
  readonly total: number;
  readonly parts: readonly { readonly key: string | null; readonly value: number; readonly place: number }[];
}

export interface Chart {
  readonly bars: readonly Bar[];
  /** The words, the one with the most first; null stands for tasks that name none. */
  readonly keys: readonly (string | null)[];
  readonly highest: number;
}

/** Most bars; of a longer range the newest days are drawn. */
export const BARS_MAX = 370;

/** Every day of the range has its bar, whether something ran or not. */
export function chartOf({ groups }: Pick<WireAnalytics, 'groups'>, days: Days, measure: CostMeasure): Chart {
  const byDay = new Map(groups.map((group) => [group.key, group.parts ?? []]));
  const sums = new Map<string | null, number>();
  for (const parts of byDay.values()) {
    for (const part of parts) sums.set(part.key, (sums.get(part.key) ?? 0) + measured(part, measure));
  }
  const keys = [...sums].sort(([a, one], [b, two]) => rank(a) - rank(b) || two - one).map(([key]) => key);
  const bars: Bar[] = [];
  for (let day = days.to; day >= days.from && bars.length < BARS_MAX; day = dayAt(Date.parse(day) - DAY_MS)) {
    const parts = (byDay.get(day) ?? [])
      .map((part) => ({ key: part.key, value: measured(part, measure), place: keys.indexOf(part.key) }))
      .filter(({ value }) => value > 0)
      .sort((a, b) => a.place - b.place);
    bars.unshift({ day, parts, total: parts.reduce((sum, { value }) => sum + value, 0) });
  }
  return { bars, keys, highest: Math.max(0, ...bars.map(({ total }) => total)) };
}

type Days = { readonly from: string; readonly to: string };

/** The rest comes last. */
function rank(key: string | null): number {
  return key === 'other' ? 1 : 0;
}

type Told = Pick<Wired<FigurePart>, 'runs' | 'cost_usd' | TokenField>;
type TokenField = 'input_tokens' | 'output_tokens' | 'cache_read_tokens' | 'cache_creation_tokens';

export function measured(figures: Told, measure: CostMeasure): number {
  if (measure === 'runs') return figures.runs;
  return measure === 'cost' ? (figures.cost_usd ?? 0) : (tokensOf(figures) ?? 0);
}

/** All tokens; null when none were told. */
export function tokensOf(figures: Told): number | null {
  const { input_tokens: input, output_tokens: output } = figures;
  const told = [input, output, figures.cache_read_tokens, figures.cache_creation_tokens].filter((n) => n !== null);
  return told.length === 0 ? null : told.reduce((sum, value) => sum + value, 0);
}

/** Tokens were used, and nobody told a price: that is not free. */
export function isUnpriced(figures: Told): boolean {
  return figures.cost_usd === null && (tokensOf(figures) ?? 0) > 0;
}

/** Of what a model read, the share that came from the cache, 0–1; null when nothing was read. */
export function cacheShare({ input_tokens, cache_read_tokens, cache_creation_tokens }: Told): number | null {
  const read = (input_tokens ?? 0) + (cache_read_tokens ?? 0) + (cache_creation_tokens ?? 0);
  return cache_read_tokens === null || read === 0 ? null : cache_read_tokens / read;
}

/** What the month comes to when it goes on as so far; null on its first day, which tells too little. */
export function forecastUsd(spentUsd: number | null, nowMs: number): number | null {
  const now = new Date(nowMs);
  const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  if (spentUsd === null || nowMs - start < DAY_MS) return null;
  return (spentUsd / (nowMs - start)) * (end - start);
}

/** `$1,204`, `$12.30`, `$0.0042`; what is unknown is a dash. */
export function usd(value: number | null): string {
  if (value === null) return '–';
  if (value >= 1_000) return `$${count(Math.round(value))}`;
  const digits = value === 0 || value >= 0.1 ? 2 : 4;
  return `$${value.toFixed(digits)}`;
}

/** `812`, `12.4k`, `3.1M`, `2.0B`; what is unknown is a dash. */
export function short(value: number | null): string {
  if (value === null) return '–';
  for (const [least, unit] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= least) return `${(value / least).toFixed(value >= 100 * least ? 0 : 1)}${unit}`;
  }
  return count(value);
}

export function measureText(value: number, measure: CostMeasure): string {
  return measure === 'cost' ? usd(value) : short(value);
}

/** A share as `42 %`; what is unknown is a dash. */
export function percent(share: number | null): string {
  if (share === null) return '–';
  return share > 0 && share < 0.01 ? '<1 %' : `${Math.round(share * 100)} %`;
}

/** A round figure at or above the highest bar, so that the lines of the scale are round too: 1, 2 or 5 times a power of ten. */
export function scaleTop(highest: number): number {
  if (highest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= highest * 0.999_999) ?? highest;
}

/** A query of tasks that leads from a figure to the tasks behind it; null where the language has no word for it. */
export function tasksQuery(by: CostGroup, key: string | null, days: Days): string | null {
  if (key === null || key === 'other') return null;
  const value = /^[\p{L}\p{N}_.+:-]+$/u.test(key) ? key : `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
  return `${by}:${value} after:${days.from} before:${dayAfter(days.to)}`;
}

function dayIn(text: string | null): string | undefined {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
}

function oneOf<T extends string>(values: readonly T[], value: string | null, fallback: T): T {
  return values.find((known) => known === value) ?? fallback;
}
