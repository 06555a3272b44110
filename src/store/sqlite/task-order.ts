import type { SQLInputValue } from 'node:sqlite';
import type { TaskCursor } from '../../core/cursor.ts';
import type { Order, TaskSort } from '../../core/query.ts';
import type { Database } from './database.ts';
import type { Condition } from './task-where.ts';

/** Where each order of the list stands. */
interface Sorted {
  readonly column: string;
  readonly index: string;
  /** Tasks without the value come last, whatever the order. */
  readonly nullable?: true;
  /** What a task that has not ended has in the place of the column. */
  readonly live?: string;
}

const SORTS: Readonly<Record<TaskSort, Sorted>> = {
  created_at: { column: 'tasks.created_at', index: 'tasks_by_creation' },
  updated_at: { column: 'tasks.updated_at', index: 'tasks_by_update' },
  started_at: { column: 'tasks.started_at', index: 'tasks_by_start', nullable: true },
  completed_at: { column: 'tasks.completed_at', index: 'tasks_by_end', nullable: true },
  title: { column: 'tasks.title', index: 'tasks_by_title', nullable: true },
  status: { column: 'tasks.status', index: 'tasks_by_status' },
  source: { column: 'tasks.source', index: 'tasks_by_source' },
  duration: { column: 'tasks.duration_seconds', index: 'tasks_by_duration', nullable: true },
  lines: { column: 'tasks.ended_lines', index: 'tasks_by_lines', live: 'trails.last_seq' },
  errors: { column: 'tasks.ended_errors', index: 'tasks_by_errors', live: 'trails.error' },
  cost: { column: 'tasks.cost_usd', index: 'tasks_by_cost', nullable: true },
};

/** Which part of an order is wanted: so many behind a place, or from the beginning. */
export interface Stretch {
  readonly sort: TaskSort;
  readonly order: Order;
  readonly after: TaskCursor | undefined;
  readonly limit: number;
}

/** Numbers of tasks that meet a condition, in order: along an index of the order, until there are enough. */
export function walkTasks(db: Database, where: Condition, stretch: Stretch): readonly number[] {
  const { sort, order, after, limit } = stretch;
  const { column, index, nullable, live } = SORTS[sort];
  const ended = after?.value === null ? [] : numbersOf(db, walkSql({ column, index, live }, where, stretch));
  if (!nullable || ended.length >= limit) return ended;
  const id = after?.value === null ? ` AND tasks.task_id ${order === 'asc' ? '>' : '<'} ?` : '';
  const rest = numbersOf(db, {
    // Whoever comes here has passed all that have a value: where these were few, this finds the others soon.
    sql: `SELECT task_no FROM tasks INDEXED BY sqlite_autoindex_tasks_1 WHERE ${column} IS NULL AND ${where.sql}${id}
      ORDER BY tasks.task_id ${order} LIMIT ?`,
    values: [...where.values, ...(id === '' ? [] : [after?.id ?? '']), limit - ended.length],
  });
  return [...ended, ...rest];
}

function walkSql({ column, index, live }: Sorted, where: Condition, stretch: Stretch): Condition {
  const { order, limit } = stretch;
  const along = (value: string, from: string, has: string): Condition => {
    const after = afterSql(value, stretch);
    return {
      sql: `SELECT task_no, ${value} AS value, tasks.task_id AS id FROM tasks INDEXED BY ${from} WHERE ${has} AND ${where.sql}
        AND ${after.sql} ORDER BY ${value} ${order}, tasks.task_id ${order} LIMIT ?`,
      values: [...where.values, ...after.values, limit],
    };
  };
  const ended = along(column, index, `${column} IS NOT NULL`);
  if (live === undefined) return ended;
  const unended = along(live, 'tasks_unended CROSS JOIN trails USING (task_no)', 'tasks.ended_lines IS NULL');
  return {
    sql: `SELECT task_no FROM (SELECT * FROM (${ended.sql}) UNION ALL SELECT * FROM (${unended.sql}))
      ORDER BY value ${order}, id ${order} LIMIT ?`,
    values: [...ended.values, ...unended.values, limit],
  };
}

/** The same of tasks that are known to meet it. */
export function orderTasks(db: Database, numbers: readonly number[], stretch: Stretch): readonly number[] {
  const { sort, order, limit } = stretch;
  const { column, nullable, live } = SORTS[sort];
  const value = live ?? column;
  const after = afterSql(value, stretch, nullable);
  return numbersOf(db, {
    sql: `SELECT tasks.task_no FROM json_each(?) AS found CROSS JOIN tasks ON tasks.task_no = found.value
      ${live === undefined ? '' : 'CROSS JOIN trails ON trails.task_no = tasks.task_no'}
      WHERE ${after.sql} ORDER BY ${nullable ? `${value} IS NULL, ` : ''}${value} ${order}, tasks.task_id ${order} LIMIT ?`,
    values: [JSON.stringify(numbers), ...after.values, limit],
  });
}

function afterSql(value: string, { order, after }: Stretch, nullable = false): Condition {
  if (after === undefined) return { sql: '1', values: [] };
  const than = order === 'asc' ? '>' : '<';
  if (after.value === null) return { sql: `${value} IS NULL AND tasks.task_id ${than} ?`, values: [after.id] };
  const sql = `(${value}, tasks.task_id) ${than} (?, ?)`;
  return { sql: nullable ? `(${sql} OR ${value} IS NULL)` : sql, values: [after.value, after.id] };
}

function numbersOf(db: Database, { sql, values }: Condition): readonly number[] {
  return db.all<{ task_no: number }>(sql, ...(values as SQLInputValue[])).map(({ task_no }) => task_no);
}
