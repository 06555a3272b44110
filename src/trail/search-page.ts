import { type SearchOptions, type SearchResult, searchParams } from '../core/found.ts';
import {
  CONTEXT_LINES_MAX,
  PAGE_LINES,
  SEARCH_LINES_MAX,
  SEARCH_MS,
  SEARCH_MS_MAX,
  SEARCH_MS_MIN,
} from '../core/limits.ts';
import type { StoreReader } from '../core/ports.ts';
import { searchAnswer } from '../query/search-answer.ts';
import { readSearch } from '../query/search-request.ts';
import { checkNumber } from './log-page.ts';

/** The page of found lines that the API answers, as objects. Throws what the API answers for what is asked wrongly. */
export async function readSearchPage(store: StoreReader, { signal, ...options }: SearchOptions): Promise<SearchResult> {
  const { limit = PAGE_LINES, context = 0, budgetMs = SEARCH_MS } = options;
  checkNumber('limit', limit, 1, SEARCH_LINES_MAX);
  checkNumber('context', context, 0, CONTEXT_LINES_MAX);
  checkNumber('budgetMs', budgetMs, SEARCH_MS_MIN, SEARCH_MS_MAX);
  // Read as the server reads it, so that both mean the same.
  const search = readSearch(searchParams(options), Date.now());
  return searchAnswer(store, search, { limit, context, budgetMs }, signal);
}
