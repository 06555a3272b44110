import { filterKey, type LogFilter, readsMessages } from '../../core/filter.ts';
import type { WireLineFacets } from '../../core/found.ts';
import type { Level } from '../../core/level.ts';
import { withPart } from '../lib/view.ts';
import type { TaskLog } from './task-log.svelte.ts';

interface Counts {
  readonly levels: Readonly<Partial<Record<Level, number>>>;
  readonly sources: Readonly<Record<string, number>>;
  readonly exact: boolean;
}

/** Counts of a running task are asked again after so long, and after ten times as long where lines have to be searched. */
const AGAIN_MS = 2_000;

/**
 * How many lines there are of each level and source, among those that the rest of the filter lets pass: a chip says what choosing it
 * would show.
 */
export class ChipCounts {
  counts = $state.raw<Counts | null>(null);
  readonly #log: TaskLog;
  #work = new AbortController();
  #key = '';
  #askedAtMs = 0;
  #askedTotal = -1;

  constructor(log: TaskLog) {
    this.#log = log;
  }

  /** Have the counts of a filter soon; called whenever the filter or the lines change. */
  want(filter: LogFilter, total: number): void {
    const key = filterKey(filter);
    const everyMs = readsMessages(filter) ? 10 * AGAIN_MS : AGAIN_MS;
    const late = performance.now() - this.#askedAtMs > everyMs && total !== this.#askedTotal;
    if (key === this.#key && !late) return;
    this.#key = key;
    this.#askedTotal = total;
    this.#askedAtMs = performance.now();
    this.#work.abort();
    this.#work = new AbortController();
    void this.#ask(filter, this.#work.signal);
  }

  close(): void {
    this.#work.abort();
  }

  async #ask(filter: LogFilter, signal: AbortSignal): Promise<void> {
    const { reads } = this.#log;
    const ofLevels = withPart(filter, 'levels', undefined);
    const ofSources = withPart(filter, 'sources', undefined);
    try {
      const levels = reads.facets(ofLevels, signal);
      const sources = filterKey(ofLevels) === filterKey(ofSources) ? levels : reads.facets(ofSources, signal);
      const [byLevel, bySource]: readonly WireLineFacets[] = await Promise.all([levels, sources]);
      if (signal.aborted || byLevel === undefined || bySource === undefined) return;
      const exact = byLevel.total_exact && bySource.total_exact;
      this.counts = { levels: byLevel.level, sources: bySource.source, exact };
    } catch {
      // The chips keep what they said; the lines themselves tell what is wrong with the server.
    }
  }
}
