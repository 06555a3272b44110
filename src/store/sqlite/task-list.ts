import type { SQLInputValue } from 'node:sqlite';
import { decodeCursor, encodeCursor, sortValue } from '../../core/cursor.ts';
import { PAGE_TASKS, PAGE_TASKS_MAX } from '../../core/limits.ts';
import type { TaskFacets, TaskPage, TaskQuery, TaskSort } from '../../core/query.ts';
import type { Status } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';
import { taskQueryExpr } from '../../core/task-predicate.ts';
import type { Database } from './database.ts';
import { TASK_SELECT, type TaskRow, taskOfRow } from './task-row.ts';
import { taskCondition } from './task-where.ts';

/** Tasks a total counts before it says "at least". */
const COUNTED_TASKS = 10_000;

/** Characters of JSON and error texts one page holds; a task may have megabytes of them. */
const LIST_CHARS = 8 * 1024 * 1024;

const SORT_COLUMN: Readonly<Record<TaskSort, string>> = {
  created_at: 'tasks.created_at',
  updated_at: 'tasks.updated_at',
  started_at: 'tasks.started_at',
  completed_at: 'tasks.completed_at',
  title: 'tasks.title',
  status: 'tasks.status',
  source: 'tasks.source',
  duration: 'tasks.duration_seconds',
  lines: 'trails.last_seq',
  errors: 'trails.error',
  cost: 'tasks.cost_usd',
};
const NULLABLE: ReadonlySet<TaskSort> = new Set(['started_at', 'completed_at', 'title', 'duration', 'cost']);

/** All of these. */
interface Where {
  readonly sql: readonly string[];
  readonly values: readonly SQLInputValue[];
}

export function listTasks(db: Database, query: TaskQuery): TaskPage {
  const { sort = 'created_at', order = 'desc' } = query;
  const limit = Math.max(1, Math.min(query.limit ?? PAGE_TASKS, PAGE_TASKS_MAX));
  const where = conditions(query);
  const total = countTasks(db, where);
  const paged =
    query.cursor === undefined ? where : afterCursor(where, { ...query, sort, order, cursor: query.cursor });
  const column = SORT_COLUMN[sort];
  const nulls = NULLABLE.has(sort) ? `${column} IS NULL, ` : '';
  // The text decides last, so that no two places are equal.
  const orderBy = `ORDER BY ${nulls}${column} ${order}, tasks.task_id ${order} LIMIT ?`;
  const rows = db.iterate<TaskRow>(`${TASK_SELECT} ${whereSql(paged)} ${orderBy}`, ...paged.values, limit + 1);
  const tasks: Task[] = [];
  let chars = 0;
  let more = false;
  for (const row of rows) {
    more = tasks.length === limit || chars >= LIST_CHARS;
    if (more) break;
    tasks.push(taskOfRow(row));
    chars += sizeOf(row);
  }
  const last = tasks.at(-1);
  return {
    tasks,
    total: Math.min(total, COUNTED_TASKS),
    totalExact: total <= COUNTED_TASKS,
    nextCursor: more && last ? encodeCursor({ sort, order, value: sortValue(last, sort), id: last.taskId }) : null,
  };
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

export function countFacets(db: Database, query: TaskQuery): TaskFacets {
  const where = conditions(query);
  const counted = (expression: string, { from = 'tasks', times = 'count(*)', also = '1' } = {}) =>
    Object.fromEntries(
      db
        .all<{ name: string; tasks: number }>(
          `SELECT ${expression} AS name, ${times} AS tasks FROM ${from} ${whereSql(where)} AND ${also} GROUP BY 1`,
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

function conditions(query: TaskQuery): Where {
  const { sql, values } = taskCondition(taskQueryExpr(query));
  return { sql: [sql], values };
}

function afterCursor(where: Where, query: { sort: TaskSort; order: 'asc' | 'desc'; cursor: string }): Where {
  const { sort, order } = query;
  const { value, id } = decodeCursor(query.cursor, sort, order);
  const column = SORT_COLUMN[sort];
  const than = order === 'asc' ? '>' : '<';
  if (value === null) {
    // Tasks without the value come last in either order, so only they are left.
    return { sql: [...where.sql, `${column} IS NULL AND tasks.task_id ${than} ?`], values: [...where.values, id] };
  }
  const after = `(${column}, tasks.task_id) ${than} (?, ?)`;
  const sql = NULLABLE.has(sort) ? `(${after} OR ${column} IS NULL)` : after;
  return { sql: [...where.sql, sql], values: [...where.values, value, id] };
}

/** Exact up to `COUNTED_TASKS`; one more means "more". */
function countTasks(db: Database, where: Where): number {
  const row = db.get<{ total: number }>(
    `SELECT count(*) AS total FROM (SELECT 1 FROM tasks ${whereSql(where)} LIMIT ?)`,
    ...where.values,
    COUNTED_TASKS + 1,
  );
  return row?.total ?? 0;
}

function whereSql({ sql }: Where): string {
  return `WHERE ${sql.join(' AND ')}`;
}
