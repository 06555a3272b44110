import type { LogFilter } from '../core/filter.ts';
import { OUTLINE_MS, READ_ROWS } from '../core/limits.ts';
import { type Mark, markOf, OUTLINE_FILTERS, type Outline } from '../core/outline.ts';
import type { StoreReader } from '../core/ports.ts';

/** Lines one read takes: a turn for others comes soon. */
const READ_LINES = 1_000;

/**
 * The marks of a task's lines behind `after`, at most `limit`. Only lines that may be marks are read. When the time or the room is up,
 * the answer says how far it came, at least one read further than before.
 */
export async function outlineAnswer(
  store: StoreReader,
  taskId: string,
  { after, limit }: { after: number; limit: number },
): Promise<Outline> {
  const { lastSeq } = (await store.task(taskId)).log;
  const endMs = performance.now() + OUTLINE_MS;
  const ways = OUTLINE_FILTERS.map((filter) => new Way(filter, after));
  const behind = (): Way => ways.reduce((least, way) => (way.scannedTo < least.scannedTo ? way : least));
  const horizon = (): number => behind().scannedTo;
  while (horizon() < lastSeq) {
    await behind().step(store, taskId, lastSeq);
    if (performance.now() >= endMs && horizon() > after) break;
    if (markedTo(ways, horizon()).length > limit) break;
  }
  const marks = markedTo(ways, horizon());
  const kept = marks.slice(0, limit);
  const last = marks.length > limit ? kept.at(-1) : undefined;
  const scannedTo = last ? (last.to ?? last.seq) : Math.max(after, Math.min(horizon(), lastSeq));
  return { taskId, marks: kept, scannedTo, lastSeq, complete: scannedTo >= lastSeq };
}

/** One of the filters on its way through the lines. */
class Way {
  readonly #filter: LogFilter;
  readonly marks: Mark[] = [];
  scannedTo: number;

  constructor(filter: LogFilter, after: number) {
    this.#filter = filter;
    this.scannedTo = after;
  }

  async step(store: StoreReader, taskId: string, lastSeq: number): Promise<void> {
    const page = await store.read(taskId, {
      filter: this.#filter,
      after: this.scannedTo,
      before: lastSeq + 1,
      limit: Math.min(READ_LINES, READ_ROWS),
    });
    for (const entry of page.entries) {
      const mark = markOf(entry);
      if (mark) this.marks.push(mark);
    }
    this.scannedTo = page.done ? lastSeq : page.scannedTo;
  }
}

/** What all ways have found up to a seq, in order, each line once; errors that follow one another are one mark. */
function markedTo(ways: readonly Way[], seq: number): readonly Mark[] {
  const all = ways.flatMap(({ marks }) => marks.filter((mark) => mark.seq <= seq)).sort((a, b) => a.seq - b.seq);
  const merged: Mark[] = [];
  for (const mark of all) {
    const last = merged.at(-1);
    if (last && mark.seq <= (last.to ?? last.seq)) continue;
    if (last?.kind === 'errors' && mark.kind === 'errors') {
      merged[merged.length - 1] = { ...last, to: mark.seq, count: (last.count ?? 1) + 1 };
    } else merged.push(mark);
  }
  return merged;
}
