import type { LogFilter } from '../core/filter.ts';
import { READ_ROWS } from '../core/limits.ts';
import type { EntryPage } from '../core/page.ts';
import type { StoreReader } from '../core/ports.ts';
import type { Order } from '../core/query.ts';

/** A way through a task's lines that is longer than one short read. */
export interface Walk {
  readonly filter?: LogFilter;
  readonly after?: number;
  readonly before?: number;
  readonly order?: Order;
  /** Matching lines to skip first. */
  readonly offset?: number;
  /** Most lines to take; left out: all. */
  readonly limit?: number;
  /** How long reading may take before the walk ends where it is; one read is always made. What the taker needs does not count. */
  readonly budgetMs?: number;
}

type Lines = Pick<StoreReader, 'read'>;

/** What is left of a walk: where the next read starts, how many lines it still skips and takes. */
interface Rest {
  after: number | undefined;
  before: number | undefined;
  offset: number;
  limit: number;
}

/**
 * Walk along a task's lines in short reads: each page is pulled when the one before was taken, so a slow taker holds one page
 * and no transaction. Pages may be empty. The generator returns what it came to.
 */
export async function* pages(store: Lines, taskId: string, walk: Walk): AsyncGenerator<EntryPage, Walked> {
  const rest = restOf(walk);
  let skipped = 0;
  let taken = 0;
  let done = false;
  let leftMs = walk.budgetMs ?? Number.POSITIVE_INFINITY;
  while (!done && rest.limit > 0) {
    const startMs = performance.now();
    const page = await readRest(store, taskId, walk, rest);
    leftMs -= performance.now() - startMs;
    skipped += page.skipped;
    taken += page.count;
    done = page.done;
    yield page;
    if (leftMs <= 0) break;
  }
  return { skipped, taken, done, cut: !done && rest.limit > 0, rest: { ...walk, ...rest } };
}

/** How far a walk came. `rest` is the walk that goes on from there. */
export interface Walked {
  readonly skipped: number;
  readonly taken: number;
  /** The window holds nothing more. */
  readonly done: boolean;
  /** The time was up before the walk had what it wanted. */
  readonly cut: boolean;
  readonly rest: Walk;
}

/**
 * Whether a walk has another line to give. Undefined when the time was up before one was found.
 * @param budgetMs when to give up; one read is always made
 */
export async function hasMore(
  store: Lines,
  taskId: string,
  walk: Walk,
  budgetMs: number,
): Promise<boolean | undefined> {
  const untilMs = performance.now() + budgetMs;
  const rest = { ...restOf(walk), limit: 1 };
  while (true) {
    const page = await readRest(store, taskId, walk, rest);
    if (page.count > 0) return true;
    if (page.done) return false;
    if (performance.now() >= untilMs) return undefined;
  }
}

function restOf({ after, before, offset = 0, limit = Number.POSITIVE_INFINITY }: Walk): Rest {
  return { after, before, offset, limit };
}

async function readRest(store: Lines, taskId: string, { filter, order }: Walk, rest: Rest): Promise<EntryPage> {
  const page = await store.read(taskId, {
    offset: rest.offset,
    limit: Math.min(rest.limit, READ_ROWS),
    ...(filter && { filter }),
    ...(order && { order }),
    ...(rest.after !== undefined && { after: rest.after }),
    ...(rest.before !== undefined && { before: rest.before }),
  });
  rest.offset -= page.skipped;
  rest.limit -= page.count;
  if (order === 'desc') rest.before = page.scannedTo;
  else rest.after = page.scannedTo;
  return page;
}
