import { isOpenFilter, type LogFilter } from '../core/filter.ts';
import { COUNT_AUTO_MS, COUNT_EXACT_MS, SEARCH_MS } from '../core/limits.ts';
import type { EntryPage } from '../core/page.ts';
import type { StoreReader } from '../core/ports.ts';
import type { Order } from '../core/query.ts';
import type { Task } from '../core/task.ts';
import { hasMore, pages, type Walk, type Walked } from './page.ts';

export interface LogAnswerQuery {
  readonly filter: LogFilter;
  readonly offset: number;
  /** -1: all. */
  readonly limit: number;
  readonly after?: number;
  readonly before?: number;
  readonly order: Order;
  readonly count: 'auto' | 'exact' | 'none';
  /** How long a page by texts or patterns may read; left out: as long as a search. All lines leave as they are found. */
  readonly budgetMs?: number;
}

/** What is said of a page of lines beside the lines. */
export interface LogFacts {
  readonly total: number;
  readonly totalExact: boolean;
  readonly hasMore: boolean;
  readonly lastSeq: number;
  /** The time was up: what was looked at reaches this line, and `after` it, or `before` it from the end, the next page goes on. */
  readonly scannedTo?: number;
}

/**
 * A page of lines as the API answers it: first the pages of lines, at the taker's pace, then the facts. It is a snapshot: no
 * line is newer than `lastSeq`, so a reader who follows after `lastSeq` misses nothing and sees nothing twice.
 */
export async function* logAnswer(
  store: StoreReader,
  taskId: string,
  query: LogAnswerQuery,
): AsyncGenerator<EntryPage, LogFacts> {
  const task = await store.task(taskId);
  const walk = walkOf(query, task.log.lastSeq);
  const walked = yield* pages(store, taskId, walk);
  const budgetMs = query.count === 'exact' ? COUNT_EXACT_MS : COUNT_AUTO_MS;
  const { cut, rest } = walked;
  if (cut) return cutFacts(query, walked, task);
  const more = walked.done
    ? false
    : // Not known in time counts as yes: the next page may be empty, but no line is hidden.
      ((await hasMore(store, taskId, rest, budgetMs)) ?? true);
  const { total, exact } = await totalOf(store, task, { query, walked, more });
  return { total, totalExact: exact, hasMore: more && query.limit !== -1, lastSeq: task.log.lastSeq };
}

/** What was found is all that is known; nothing is said of what was not looked at. */
function cutFacts({ order }: LogAnswerQuery, { skipped, taken, rest }: Walked, { log }: Task): LogFacts {
  const scannedTo = (order === 'desc' ? rest.before : rest.after) ?? 0;
  return { total: skipped + taken, totalExact: false, hasMore: true, lastSeq: log.lastSeq, scannedTo };
}

function walkOf(
  { filter, offset, limit, after, before, order, budgetMs = SEARCH_MS }: LogAnswerQuery,
  lastSeq: number,
): Walk {
  return {
    filter,
    order,
    offset,
    ...(limit !== -1 && { limit, ...(!isOpenFilter(filter) && { budgetMs }) }),
    ...(after !== undefined && { after }),
    before: Math.min(before ?? Number.POSITIVE_INFINITY, lastSeq + 1),
  };
}

async function totalOf(
  store: StoreReader,
  task: Task,
  { query, walked, more }: { query: LogAnswerQuery; walked: Walked; more: boolean },
): Promise<{ total: number; exact: boolean }> {
  const { filter, count, after = 0, before } = query;
  if (isOpenFilter(filter)) return { total: task.log.total, exact: true };
  const seen = walked.skipped + walked.taken;
  const wholeWindow = after === 0 && before === undefined;
  if (walked.done && wholeWindow) return { total: seen, exact: true };
  const atLeast = seen + (more ? 1 : 0);
  if (count === 'none') return { total: atLeast, exact: false };
  const counted = await store.count(task.taskId, filter, count === 'exact' ? COUNT_EXACT_MS : COUNT_AUTO_MS);
  return { total: Math.max(counted.total, counted.exact ? 0 : atLeast), exact: counted.exact };
}
