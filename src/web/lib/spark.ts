import type { WireHistogram } from '../../core/wire.ts';

/** How much a task wrote over its time, small: two paths within `SPARK.width` × `SPARK.height`, and when it wrote last. */
export interface Spark {
  readonly bars: string;
  /** A tick at the foot of each bar that has errors. */
  readonly errors: string;
  /** Milliseconds since 1970; null when nothing is written. */
  readonly lastAtMs: number | null;
  readonly errorBars: number;
}

export const SPARK = { width: 72, height: 22, buckets: 24 } as const;
const TICK_PX = 3;

export function sparkOf({ buckets, to }: WireHistogram): Spark {
  const highest = buckets.reduce((most, { total }) => Math.max(most, total), 0);
  const stepPx = SPARK.width / SPARK.buckets;
  const roomPx = SPARK.height - TICK_PX - 1;
  let [bars, errors, errorBars] = ['', '', 0];
  buckets.slice(0, SPARK.buckets).forEach(({ total, by_level: { ERROR } }, index) => {
    if (total === 0) return;
    const x = round(index * stepPx);
    // A root, so that one burst does not flatten the rest; what is there at all can be seen.
    const heightPx = Math.max(1.5, roomPx * Math.sqrt(total / highest));
    bars += `M${x} ${roomPx}v${-round(heightPx)}h${round(stepPx - 1)}v${round(heightPx)}z`;
    if (ERROR === 0) return;
    errors += `M${x} ${SPARK.height}v${-TICK_PX}h${round(stepPx - 1)}v${TICK_PX}z`;
    errorBars += 1;
  });
  return { bars, errors, errorBars, lastAtMs: to === null ? null : Date.parse(to) };
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}
