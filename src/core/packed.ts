import type { Draft } from './entry.ts';

/**
 * Lines of one process's own loggers, in columns: line n is `messages` from `ends[n - 1]` to `ends[n]`, at `times[n]` (Unix ms),
 * with level, source, stream and type of `facets[kinds[n]]` and, when there is any, `metadata[n]` as JSON text. What JSON
 * would say again with each line is said once, and the whole crosses to another thread as one string and three buffers.
 */
export interface PackedLines {
  readonly messages: string;
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly times: Float64Array<ArrayBuffer>;
  readonly kinds: Uint32Array<ArrayBuffer>;
  readonly facets: readonly PackedFacet[];
  readonly metadata: ReadonlyMap<number, string>;
}

export type PackedFacet = Pick<Draft, 'level' | 'source' | 'stream' | 'type'>;
