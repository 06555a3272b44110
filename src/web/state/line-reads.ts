import type { LogFilter, Query } from '../../core/filter.ts';
import type { WireLineFacets, WireSearchPage } from '../../core/found.ts';
import type { WireEntry, WireHistogram } from '../../core/wire.ts';
import { type Api, asProblem, type LinesQuery, type Problem } from '../lib/api.ts';

/** Lines that are read at once to be copied. */
const COPY_LINES = 5_000;

/** Looks into one task's lines beside the list that is shown. */
export class LineReads {
  readonly api: Api;
  readonly taskId: string;

  constructor(api: Api, taskId: string) {
    this.api = api;
    this.taskId = taskId;
  }

  /** The first line of a filter behind a line, or the last before it; null when there is none. */
  async seqNear(filter: LogFilter, seq: number, order: 'next' | 'previous'): Promise<number | null> {
    const where =
      order === 'next' ? ({ after: seq, order: 'asc' } as const) : ({ before: seq, order: 'desc' } as const);
    if (order === 'previous' && seq <= 1) return null;
    const query: LinesQuery = { filter, limit: 1, count: 'none', ...where };
    return (await this.api.lines(this.taskId, query)).logs[0]?.seq ?? null;
  }

  /** Lines of a filter from one seq to another, the last included, a page at a time. */
  async *between(filter: LogFilter, from: number, to: number): AsyncGenerator<readonly WireEntry[]> {
    for (let after = from - 1; ; ) {
      const query: LinesQuery = { filter, limit: COPY_LINES, count: 'none', order: 'asc', after, before: to + 1 };
      const page = await this.api.lines(this.taskId, query);
      yield page.logs;
      after = page.logs.at(-1)?.seq ?? to;
      if (!page.has_more || page.logs.length === 0) return;
    }
  }

  /** What the server finds wrong with a query; null when that is nothing, or when it cannot be asked now. */
  async faultIn(query: Query): Promise<Problem | null> {
    try {
      await this.api.lines(this.taskId, { filter: { query }, limit: 0, count: 'none' });
      return null;
    } catch (error) {
      const problem = asProblem(error);
      return problem.code === 'invalid_query' ? problem : null;
    }
  }

  /** A page of hits, the newest first. */
  hits(filter: LogFilter, page: { limit: number; cursor?: string }, signal: AbortSignal): Promise<WireSearchPage> {
    return this.api.hits(this.taskId, filter, page, signal);
  }

  facets(filter: LogFilter, signal: AbortSignal): Promise<WireLineFacets> {
    return this.api.taskFacets(this.taskId, filter, signal);
  }

  histogram(filter: LogFilter, buckets: number, signal: AbortSignal): Promise<WireHistogram> {
    return this.api.histogram(this.taskId, { filter, buckets }, signal);
  }
}
