import type { FigureKey, FigureRow } from '../../core/figures.ts';

/** The columns of figures, of one task or summed up over some with the same key. */
export interface FigureColumns extends FigureKey {
  readonly runs: number;
  readonly cost_usd: number | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly cache_creation_tokens: number | null;
  readonly lines: number;
  readonly errors: number;
}

/** The row of figures that columns say, with its durations. */
export function figureRow(columns: FigureColumns, durations: Pick<FigureRow, 'durations' | 'buckets'>): FigureRow {
  const { day, source, agent, model, status, runs, lines, errors } = columns;
  return {
    ...{ day, source, agent, model, status, runs, lines, errors, costUsd: columns.cost_usd },
    ...{ inputTokens: columns.input_tokens, outputTokens: columns.output_tokens },
    ...{ cacheReadTokens: columns.cache_read_tokens, cacheCreationTokens: columns.cache_creation_tokens },
    ...durations,
  };
}
