import { PatternCount, type Patterns, type PatternsQuery } from '../../core/patterns.ts';
import { isoTime } from '../../core/time.ts';
import { BlockOrder, UNFETCHED, type Walked } from './block-order.ts';
import type { Facets } from './facets.ts';
import type { Tables } from './scan.ts';
import { ScopeScan } from './scope.ts';
import { Turns } from './search.ts';

/**
 * Count matching lines by pattern, block by block from new to old, in short reads. When the time is up, what was not looked at is
 * older than `scannedFrom`; the first block is always looked at.
 */
export async function patternsOf(tables: Tables, query: PatternsQuery, signal?: AbortSignal): Promise<Patterns> {
  const order = new BlockOrder(new ScopeScan(tables, query), undefined);
  const turns = new Turns(query.budgetMs, signal);
  const found = new PatternCount();
  for (let looked = false; ; ) {
    const { upper } = order;
    if (!upper) return found.answer(query.limit);
    if (looked && turns.over && upper.timestamp !== UNFETCHED) {
      return found.answer(query.limit, isoTime(Date.parse(upper.timestamp) + 1));
    }
    const walked = order.take();
    if (walked) {
      look(walked, { order, found, facets: tables.facets });
      looked = true;
    } else {
      order.fetch();
    }
    await turns.next();
  }
}

/** Count the lines of a block, and put back what one read did not come to. */
function look(
  walked: Walked,
  { order, found, facets }: { order: BlockOrder; found: PatternCount; facets: Facets },
): void {
  const { taskId, scan } = walked.task;
  for (const { seq, timestamp, facet_no: facetNo, message } of scan.lines(walked.block.lookFrom, walked.to, 'desc')) {
    const { level, source } = facets.facet(facetNo);
    found.add({ taskId, seq, timestamp, level, source, message });
  }
  if (scan.stoppedAt !== undefined && scan.stoppedAt > walked.block.lookFrom) {
    order.putBack({ ...walked, to: scan.stoppedAt - 1 });
  }
}
