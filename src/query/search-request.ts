import { TrailError } from '../core/error.ts';
import { filterKey, type LogFilter, type RawFilter } from '../core/filter.ts';
import { checkTaskId } from '../core/id.ts';
import type { SearchPlace } from '../core/search.ts';
import { readFilter } from './filter.ts';
import { decodeSearchCursor, searchKey } from './search-cursor.ts';

/** What is searched for, as it comes from a query string: every value text, or several. */
export interface RawSearch extends RawFilter {
  readonly task?: unknown;
  readonly cursor?: unknown;
}

/** What is searched for. `nowMs` is what its relative times count from, `key` tells it from other searches. */
export interface SearchRequest {
  readonly filter: LogFilter;
  readonly tasks?: readonly string[];
  readonly after?: SearchPlace;
  readonly nowMs: number;
  readonly key: string;
}

/**
 * Read a search. With a cursor it means what it meant on its first page, whatever time it is now. Throws `invalid_filter`,
 * `invalid_query`, `invalid_parameter`, or `invalid_cursor` for the cursor of another search.
 */
export function readSearch({ task, cursor, ...raw }: RawSearch, clockMs: number): SearchRequest {
  const held = typeof cursor === 'string' && cursor !== '' ? decodeSearchCursor(cursor) : undefined;
  const nowMs = held?.nowMs ?? clockMs;
  const filter = readFilter(raw, nowMs);
  const tasks = tasksOf(task);
  const key = searchKey(JSON.stringify([filterKey(filter), tasks]));
  if (held && held.key !== key) {
    throw new TrailError('invalid_cursor', 'cursor: it belongs to another search; search again without it', {
      errors: [{ path: 'cursor', detail: 'belongs to another search' }],
    });
  }
  return { filter, nowMs, key, ...(tasks && { tasks }), ...(held && { after: held.place }) };
}

function tasksOf(task: unknown): readonly string[] | undefined {
  if (task === undefined) return undefined;
  const ids = [task].flat().flatMap((part) => String(part).split(','));
  const named = [...new Set(ids.map((id) => id.trim()).filter((id) => id !== ''))].sort();
  // Who names no task, an empty variable of a script for one, does not mean every task.
  if (named.length === 0) throw wrongTask('expected a task id');
  return named.map(checked);
}

function checked(id: string): string {
  try {
    return checkTaskId(id);
  } catch (error) {
    throw wrongTask((error as Error).message, error);
  }
}

function wrongTask(detail: string, cause?: unknown): TrailError {
  return new TrailError('invalid_parameter', `task: ${detail}`, { cause, errors: [{ path: 'task', detail }] });
}
