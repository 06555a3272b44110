import type { LogFilter } from '../../core/filter.ts';
import type { WireHistogram, WireTask } from '../../core/wire.ts';
import { longestSilence, SILENCE_BARS } from './silences.ts';

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
    reads.histogram({}, SILENCE_BARS, signal),
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
