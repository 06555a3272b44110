import type { WireHistogram } from '../../core/wire.ts';

/** A stretch of time that is drawn, in milliseconds since 1970. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The whole span of a histogram; null when it has no bars. */
export function spanOf({ from, buckets, width_ms: widthMs }: WireHistogram): TimeSpan | null {
  if (from === null || buckets.length === 0) return null;
  const fromMs = Date.parse(from);
  return { fromMs, toMs: fromMs + buckets.length * widthMs };
}

/** Where a moment lies in a span, 0 to 1. */
export function shareOf({ fromMs, toMs }: TimeSpan, ms: number): number {
  return toMs > fromMs ? Math.min(1, Math.max(0, (ms - fromMs) / (toMs - fromMs))) : 0;
}

/** The bars between two places of a span, as the times of a filter: whole bars, the first moment included, the last not. */
export function brushed(histogram: WireHistogram, a: number, b: number): { from: string; to: string } | null {
  const span = spanOf(histogram);
  if (span === null) return null;
  const bars = histogram.buckets.length;
  const first = Math.min(bars - 1, Math.floor(Math.min(a, b) * bars));
  const last = Math.min(bars - 1, Math.floor(Math.max(a, b) * bars));
  const at = (bar: number): number => span.fromMs + bar * histogram.width_ms;
  // The last bar holds the last moment too.
  const end = at(last + 1) + (last === bars - 1 ? 1 : 0);
  return { from: new Date(Math.floor(at(first))).toISOString(), to: new Date(Math.ceil(end)).toISOString() };
}

/** How high the levels of a bar stand on each other, as shares of the highest bar; what is there at all can be seen. */
export function stackOf(
  { total, by_level: levels }: WireHistogram['buckets'][number],
  highest: number,
): readonly { readonly level: 'ERROR' | 'WARNING' | 'INFO' | 'DEBUG'; readonly share: number }[] {
  if (total === 0 || highest === 0) return [];
  const whole = Math.max(0.06, total / highest);
  return (['ERROR', 'WARNING', 'INFO', 'DEBUG'] as const)
    .map((level) => ({ level, share: (levels[level] / total) * whole }))
    .filter(({ share }) => share > 0);
}
