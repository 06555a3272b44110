import { type CompareAsked, type Comparison, compareParams, type PatternsAsked } from '../core/comparison.ts';
import { searchParams } from '../core/found.ts';
import { checkTaskId } from '../core/id.ts';
import { PATTERNS, PATTERNS_MAX, SEARCH_MS, SEARCH_MS_MAX, SEARCH_MS_MIN } from '../core/limits.ts';
import type { Patterns } from '../core/patterns.ts';
import type { StoreReader } from '../core/ports.ts';
import { compareTasks } from '../query/compare.ts';
import { readSearch } from '../query/search-request.ts';
import { checkNumber } from './log-page.ts';

/** Patterns as the API answers them. */
export async function readPatterns(store: StoreReader, { signal, ...asked }: PatternsAsked): Promise<Patterns> {
  const wish = wishOf(asked);
  const { filter, tasks } = readSearch(searchParams(asked), Date.now());
  return store.patterns({ filter, ...wish, ...(tasks && { tasks }) }, signal);
}

/** What is new in a task, as the API answers it. */
export async function readComparison(
  store: StoreReader,
  taskId: string,
  { signal, ...asked }: CompareAsked,
): Promise<Comparison> {
  const wish = wishOf(asked);
  const { with: base, ...params } = compareParams(asked);
  const { filter } = readSearch(params, Date.now());
  const wanted = { filter, ...wish, ...(base !== undefined && { baseId: checkTaskId(base) }) };
  return compareTasks(store, taskId, wanted, signal);
}

function wishOf({ limit = PATTERNS, budgetMs = SEARCH_MS }: PatternsAsked): { limit: number; budgetMs: number } {
  checkNumber('limit', limit, 1, PATTERNS_MAX);
  checkNumber('budgetMs', budgetMs, SEARCH_MS_MIN, SEARCH_MS_MAX);
  return { limit, budgetMs };
}
