import { decodeCursor, encodeCursor, sortValue } from '../../core/cursor.ts';
import { PAGE_TASKS, PAGE_TASKS_MAX } from '../../core/limits.ts';
import type { TaskFacets, TaskPage, TaskQuery } from '../../core/query.ts';
import type { Status } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';
import { taskQueryExpr } from '../../core/task-predicate.ts';
import type { Database } from './database.ts';
import { facetsOfGroups, type Grouped, groupsThatMatch } from './task-groups.ts';
import { orderTasks, type Stretch, walkTasks } from './task-order.ts';
import { TASK_SELECT, type TaskRow, taskOfRow } from './task-row.ts';
import { ALWAYS, type Condition, taskCondition, within } from './task-where.ts';

/** Tasks that are counted one by one before a total says "at least". */
const COUNTED_TASKS = 10_000;

/** Characters of JSON and error texts one page holds; a task may have megabytes of them. */
const LIST_CHARS = 8 * 1024 * 1024;

/** Small enough to be found by an index rather than along the order. */
const FEW_TASKS = 20_000;

/** Indexes of columns of groups. */
const DRIVERS = {
  status: { column: 'tasks.status', index: 'tasks_by_status' },
  source: { column: 'tasks.source', index: 'tasks_by_source' },
  kind: { column: 'tasks.kind', index: 'tasks_by_kind' },
  agent: { column: 'tasks.assigned_agent', index: 'tasks_by_agent' },
} as const;
type Driver = (typeof DRIVERS)[keyof typeof DRIVERS];

/**
 * A page of tasks. Few that match are gathered, and put in order; of many there is one soon wherever the walk along the order is. What is
 * neither counted by groups nor has an index of its own is looked for in all tasks.
 */
export function listTasks(db: Database, query: TaskQuery): TaskPage {
  const { sort = 'created_at', order = 'desc', cursor } = query;
  const limit = Math.max(1, Math.min(query.limit ?? PAGE_TASKS, PAGE_TASKS_MAX));
  const after = cursor === undefined ? undefined : decodeCursor(cursor, sort, order);
  db.beginRead();
  try {
    const expr = taskQueryExpr(query);
    const where = taskCondition(expr);
    const grouped = groupsThatMatch(db, expr);
    const stretch = { sort, order, after, limit: limit + 1 };
    const found = grouped && isDense(grouped, limit) ? undefined : gather(db, where, grouped);
    const numbers = found ? orderTasks(db, found, stretch) : walkTasks(db, bounded(where, stretch, grouped), stretch);
    const total = grouped?.exact ? grouped.atMost : found?.length;
    const { tasks, more } = taskRows(db, numbers, limit);
    const last = tasks.at(-1);
    return {
      tasks,
      total: total ?? COUNTED_TASKS,
      totalExact: total !== undefined,
      nextCursor: more && last ? encodeCursor({ sort, order, value: sortValue(last, sort), id: last.taskId }) : null,
    };
  } finally {
    db.endRead();
  }
}

/** Whether the walk along an order is likely to meet a page of them before it has looked at as many tasks as match. */
function isDense({ all, atMost, exact }: Grouped, limit: number): boolean {
  const tasks = all.reduce((sum, group) => sum + group.tasks, 0);
  return exact && atMost * atMost > limit * tasks;
}

/** The numbers of all that match, in no order; undefined when there are more than are counted. */
function gather(db: Database, where: Condition, grouped: Grouped | undefined): readonly number[] | undefined {
  if (grouped?.atMost === 0) return [];
  const { from, also } = driverOf(grouped);
  const rows = db.all<{ task_no: number }>(
    `SELECT task_no FROM tasks ${from} WHERE ${also.sql} AND ${where.sql} LIMIT ?`,
    ...[...also.values, ...where.values, COUNTED_TASKS + 1],
  );
  return rows.length > COUNTED_TASKS ? undefined : rows.map(({ task_no }) => task_no);
}

/** The column by which the fewest tasks have to be looked at, when these are few: SQLite would have to guess. */
function driverOf(grouped: Grouped | undefined): { readonly from: string; readonly also: Condition } {
  let best: { from: string; also: Condition } = { from: '', also: ALWAYS };
  let least = FEW_TASKS;
  for (const [by, { column, index }] of Object.entries(DRIVERS) as [keyof typeof DRIVERS, Driver][]) {
    const values = new Set((grouped?.groups ?? []).map((group) => group[by]));
    if (!grouped || values.has(null)) continue;
    const tasks = grouped.all.reduce((sum, group) => sum + (values.has(group[by]) ? group.tasks : 0), 0);
    if (tasks > least) continue;
    least = tasks;
    best = {
      from: `INDEXED BY ${index}`,
      also: within(
        column,
        [...values].filter((value) => value !== null),
      ),
    };
  }
  return best;
}

/** Where groups know the values that the order goes by, the walk begins and ends with them. */
function bounded(where: Condition, { sort, order, after }: Stretch, grouped: Grouped | undefined): Condition {
  if (!grouped || (sort !== 'status' && sort !== 'source')) return where;
  const { column } = DRIVERS[sort];
  const values = JSON.stringify([...new Set(grouped.groups.map((group) => group[sort]))]);
  const [begin, end] = order === 'asc' ? ['>= (SELECT min', '<= (SELECT max'] : ['<= (SELECT max', '>= (SELECT min'];
  // A place to start from is nearer than the first value.
  const ends = after === undefined ? [begin, end] : [end];
  return {
    sql: [where.sql, ...ends.map((sql) => `${column} ${sql}(value) FROM json_each(?))`)].join(' AND '),
    values: [...where.values, ...ends.map(() => values)],
  };
}

/** The tasks of a page; as many as fit. */
function taskRows(db: Database, numbers: readonly number[], limit: number): { tasks: readonly Task[]; more: boolean } {
  const tasks: Task[] = [];
  let chars = 0;
  for (const number of numbers) {
    if (tasks.length === limit || chars >= LIST_CHARS) return { tasks, more: true };
    const row = db.get<TaskRow>(`${TASK_SELECT} WHERE tasks.task_no = ?`, number);
    if (!row) continue;
    tasks.push(taskOfRow(row));
    chars += sizeOf(row);
  }
  return { tasks, more: false };
}

/** In the order of the queue. One status at a time, so that the index `tasks_run_here` gives the order and nothing is sorted. */
export function listRuns(
  db: Database,
  statuses: readonly Status[],
  { limit, prefix }: { readonly limit: number; readonly prefix: string },
): readonly Task[] {
  const sql = `${TASK_SELECT} WHERE tasks.runner IS NOT NULL AND tasks.status = ? AND substr(tasks.runner, 1, ?) = ?
    ORDER BY tasks.priority DESC, tasks.task_no LIMIT ?`;
  return statuses
    .flatMap((status) => db.all<TaskRow>(sql, status, prefix.length, prefix, limit))
    .sort((a, b) => b.priority - a.priority || a.task_no - b.task_no)
    .slice(0, limit)
    .map(taskOfRow);
}

function sizeOf({ params_json, input_json, metadata_json, result_json, error }: TaskRow): number {
  return [params_json, input_json, metadata_json, result_json, error].reduce(
    (sum, text) => sum + (text?.length ?? 0),
    0,
  );
}

/** Counted by groups; what these cannot tell is counted task by task. */
export function countFacets(db: Database, query: TaskQuery): TaskFacets {
  const expr = taskQueryExpr(query);
  const known = facetsOfGroups(db, expr);
  if (known) return known;
  const where = taskCondition(expr);
  const counted = (expression: string, { from = 'tasks', times = 'count(*)', also = '1' } = {}) =>
    Object.fromEntries(
      db
        .all<{ name: string; tasks: number }>(
          `SELECT ${expression} AS name, ${times} AS tasks FROM ${from} WHERE ${where.sql} AND ${also} GROUP BY 1`,
          ...where.values,
        )
        .filter(({ name }) => name !== null)
        .map(({ name, tasks }) => [name, tasks]),
    );
  return {
    status: counted('tasks.status'),
    source: counted('tasks.source'),
    kind: counted('tasks.kind'),
    agent: counted('tasks.assigned_agent'),
    // A list may name a tag twice.
    tag: counted('tag.value', {
      from: 'tasks, json_each(tasks.tags_json) AS tag',
      times: 'count(DISTINCT tasks.task_no)',
      also: "tasks.tags_json <> '[]'",
    }),
  };
}
