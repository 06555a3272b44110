import type { LogFilter } from '../../core/filter.ts';
import type { WireHistogram, WireTask } from '../../core/wire.ts';

/** Where the reason of a failure may be. */
export type Cause =
  | { readonly kind: 'first' | 'last'; readonly seq: number }
  | { readonly kind: 'silence'; readonly seq: number; readonly ms: number }
  | { readonly kind: 'exit'; readonly code: number };

/** What is asked of the server: a few short reads, however long the task is. */
export interface CauseReads {
  seqNear(filter: LogFilter, seq: number, order: 'next' | 'previous'): Promise<number | null>;
  histogram(filter: LogFilter, buckets: number, signal: AbortSignal): Promise<WireHistogram>;
}

/** Finer is not worth more: what counts is the longest silence, not its exact length. */
const BUCKETS = 500;
/** Shorter silences are none, nor are those that are but a small part of the time. */
const SILENCE_MS = 5_000;
const SILENCE_SHARE = 0.05;

export async function causesOf(
  { exit_code: code, log }: Pick<WireTask, 'exit_code' | 'log'>,
  reads: CauseReads,
  signal: AbortSignal,
): Promise<readonly Cause[]> {
  const errors: LogFilter = { levels: ['ERROR'] };
  const end = log.last_seq + 1;
  const [first, last, histogram] = await Promise.all([
    reads.seqNear(errors, 0, 'next'),
    reads.seqNear(errors, end, 'previous'),
    reads.histogram({}, BUCKETS, signal),
  ]);
  const silence = longestSilence(histogram);
  const before = silence && (await reads.seqNear({ to: silence.from }, end, 'previous'));
  return [
    ...(first === null ? [] : [{ kind: 'first', seq: first } as const]),
    ...(last === null || last === first ? [] : [{ kind: 'last', seq: last } as const]),
    ...(silence && before ? [{ kind: 'silence', seq: before, ms: silence.ms } as const] : []),
    ...(code === null || code === 0 ? [] : [{ kind: 'exit', code } as const]),
  ];
}

/** The longest stretch of buckets without a line; its beginning is the first moment without one. */
export function longestSilence({
  buckets,
  width_ms: widthMs,
}: Pick<WireHistogram, 'buckets' | 'width_ms'>): { from: string; ms: number } | undefined {
  let best = { start: 0, count: 0 };
  let count = 0;
  for (const [n, { total }] of buckets.entries()) {
    count = total === 0 ? count + 1 : 0;
    if (count > best.count) best = { start: n - count + 1, count };
  }
  const ms = best.count * widthMs;
  const from = buckets[best.start]?.timestamp;
  if (from === undefined || ms < SILENCE_MS || ms < SILENCE_SHARE * buckets.length * widthMs) return undefined;
  return { from, ms };
}
