import type { WireHistogram } from '../../core/wire.ts';

type Bars = Pick<WireHistogram, 'buckets' | 'width_ms'>;

/** A stretch of time without a line; it begins at the first moment without one. */
export interface Silence {
  readonly from: string;
  readonly ms: number;
}

/** What is asked for to find silences: finer is not worth more, for what counts is that there is one, not its exact length. */
export const SILENCE_BARS = 500;
/** A silence this long, and this large a part of the time, is worth a look: many in a task, or as the one that explains it. */
const SLOW = { ms: 1_000, share: 0.01 };
const LONGEST = { ms: 5_000, share: 0.05 };

/** Where a task was slow, in order. */
export function slowDowns(bars: Bars): readonly Silence[] {
  return silencesIn(bars, SLOW);
}

export function longestSilence(bars: Bars): Silence | undefined {
  const silences = silencesIn(bars, LONGEST);
  return silences.find(({ ms }) => silences.every((other) => other.ms <= ms));
}

function silencesIn({ buckets, width_ms: widthMs }: Bars, least: { ms: number; share: number }): readonly Silence[] {
  const leastMs = Math.max(least.ms, least.share * buckets.length * widthMs);
  const silences: { from: string; ms: number }[] = [];
  let before = 1;
  for (const { timestamp, total } of buckets) {
    const open = silences.at(-1);
    if (total === 0 && before === 0 && open) open.ms += widthMs;
    else if (total === 0) silences.push({ from: timestamp, ms: widthMs });
    before = total;
  }
  return silences.filter(({ ms }) => ms >= leastMs);
}
