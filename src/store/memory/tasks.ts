import { decodeCursor, encodeCursor, type SortValue, sortValue } from '../../core/cursor.ts';
import { PAGE_TASKS, PAGE_TASKS_MAX } from '../../core/limits.ts';
import type { TaskFacets, TaskPage, TaskQuery } from '../../core/query.ts';
import type { Status } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';
import { matchesTask, taskQueryExpr } from '../../core/task-predicate.ts';
import { tally } from './lines.ts';

/** A task's place in a listing: what it is sorted by, then its id, so that no two places are equal. */
interface Place {
  readonly value: SortValue;
  readonly id: string;
}

/**
 * One page of the tasks that match: newest first unless the query says otherwise. The cursor is a place, not a number of
 * tasks to skip, so a listing neither repeats nor misses a task because others come in.
 */
export function pageOf(tasks: readonly Task[], query: TaskQuery): TaskPage {
  const { sort = 'created_at', order = 'desc' } = query;
  const limit = Math.min(query.limit ?? PAGE_TASKS, PAGE_TASKS_MAX);
  const placeOf = (task: Task): Place => ({ value: sortValue(task, sort), id: task.taskId });
  const compare = order === 'asc' ? ascending : descending;
  const start = query.cursor === undefined ? undefined : decodeCursor(query.cursor, sort, order);
  const found = matching(tasks, query).toSorted((a, b) => compare(placeOf(a), placeOf(b)));
  const rest = start ? found.filter((task) => compare(placeOf(task), start) > 0) : found;
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    tasks: page,
    total: found.length,
    totalExact: true,
    nextCursor: last && rest.length > page.length ? encodeCursor({ sort, order, ...placeOf(last) }) : null,
  };
}

/** Tasks in these statuses whose runner begins with a prefix, by priority. */
export function runsOf(
  tasks: readonly Task[],
  {
    statuses,
    limit,
    prefix,
  }: { readonly statuses: readonly Status[]; readonly limit: number; readonly prefix: string },
): readonly Task[] {
  return tasks
    .filter(({ runner, status }) => runner?.startsWith(prefix) && statuses.includes(status))
    .sort((a, b) => b.priority - a.priority)
    .slice(0, limit);
}

/** Counts over the tasks that match; sort, limit and cursor play no part. A task counts once for each of its tags. */
export function facetsOf(tasks: readonly Task[], query: TaskQuery): TaskFacets {
  const found = matching(tasks, query);
  const named = (name: (task: Task) => string | null) => tally(found.map(name).filter((value) => value !== null));
  return {
    status: named((task) => task.status),
    source: named((task) => task.source),
    kind: named((task) => task.kind),
    agent: named((task) => task.assignedAgent),
    tag: tally(found.flatMap((task) => [...new Set(task.tags)])),
  };
}

function matching(tasks: readonly Task[], query: TaskQuery): readonly Task[] {
  const expr = taskQueryExpr(query);
  return tasks.filter((task) => matchesTask(expr, task));
}

function ascending(a: Place, b: Place): number {
  return nullsLast(a, b) ?? (compareValues(a.value, b.value) || compareValues(a.id, b.id));
}

function descending(a: Place, b: Place): number {
  return nullsLast(a, b) ?? (compareValues(b.value, a.value) || compareValues(b.id, a.id));
}

/** Undefined when the values themselves decide. */
function nullsLast(a: Place, b: Place): number | undefined {
  if (a.value === null && b.value !== null) return 1;
  return a.value !== null && b.value === null ? -1 : undefined;
}

/** Texts by their bytes in UTF-8, as databases compare them; JavaScript's own `<` differs beyond U+FFFF. */
function compareValues(a: SortValue, b: SortValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return typeof a === 'number' && typeof b === 'number' ? a - b : 0;
}
