import type { Bars } from './bars.ts';
import type { Database } from './database.ts';
import type { Facets } from './facets.ts';
import type { Block } from './scan.ts';

/** Bars that one block may fall into before reading its lines is cheaper. */
const PARTS = 32;

interface Part {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
}

/**
 * Count the lines of a block into bars without looking at each: they are in the order of time, so the line at which a bar ends is found
 * by halving, and what one part holds is what the others do not. All of the block's lines of its counted facets must match.
 * @returns false, with nothing counted, when that cannot be done: the lines are compressed, or lie in many bars
 */
export function spread(
  { db, facets }: { readonly db: Database; readonly facets: Facets },
  taskNo: number,
  { block, bars }: { readonly block: Block; readonly bars: Bars },
): boolean {
  db.beginRead();
  try {
    const parts = partsOf(new Times(db, taskNo), block, bars);
    if (!parts) return false;
    const longest = parts.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
    const rest = new Map(block.counts);
    for (const part of parts.filter((part) => part !== longest)) {
      for (const { facet_no: facetNo, lines } of countsOf(db, taskNo, part)) {
        const left = rest.get(facetNo);
        if (left === undefined) continue;
        rest.set(facetNo, left - lines);
        bars.add(part.ms, facets.facet(facetNo).level, lines);
      }
    }
    for (const [facetNo, lines] of rest) bars.add(longest.ms, facets.facet(facetNo).level, lines);
    return true;
  } finally {
    db.endRead();
  }
}

/** Neighbouring lines of one bar each. */
function partsOf(times: Times, block: Block, bars: Bars): readonly Part[] | undefined {
  const last = block.firstSeq + block.lines - 1;
  const parts: Part[] = [];
  for (let from = block.firstSeq; from <= last; ) {
    const ms = times.at(from);
    if (ms === undefined || parts.length === PARTS) return undefined;
    const endMs = bars.endOf(ms);
    const to = times.lastBefore(endMs, from, last);
    if (to === undefined) return undefined;
    parts.push({ from, to, ms });
    from = to + 1;
  }
  return parts;
}

/** When plain lines were written. */
class Times {
  readonly #db: Database;
  readonly #taskNo: number;

  constructor(db: Database, taskNo: number) {
    this.#db = db;
    this.#taskNo = taskNo;
  }

  at(seq: number): number | undefined {
    const row = this.#db.get<{ timestamp: string }>(
      'SELECT timestamp FROM lines WHERE task_no = ? AND seq = ?',
      ...[this.#taskNo, seq],
    );
    return row && Date.parse(row.timestamp);
  }

  /** The last line from one seq to another that is older than a moment; the first of them is. */
  lastBefore(ms: number, from: number, to: number): number | undefined {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const at = this.at(middle);
      if (at === undefined) return undefined;
      if (at < ms) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function countsOf(db: Database, taskNo: number, { from, to }: Part): readonly { facet_no: number; lines: number }[] {
  return db.all(
    'SELECT facet_no, count(*) AS lines FROM lines WHERE task_no = ? AND seq BETWEEN ? AND ? GROUP BY facet_no',
    ...[taskNo, from, to],
  );
}
