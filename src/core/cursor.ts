import { decodeObject, encodeJson } from './base64.ts';
import { TrailError } from './error.ts';
import type { Order, TaskSort } from './query.ts';
import type { Task } from './task.ts';

/** Where a page of tasks ended: the last task's sort value and id. The next page starts after it, whatever came in meanwhile. */
export interface TaskCursor {
  readonly sort: TaskSort;
  readonly order: Order;
  readonly value: SortValue;
  readonly id: string;
}

export type SortValue = string | number | null;

const SORTED_BY_NUMBER: ReadonlySet<TaskSort> = new Set(['duration', 'lines', 'errors', 'cost']);

/** The cursor as text that is safe in a URL. */
export function encodeCursor({ sort, order, value, id }: TaskCursor): string {
  return encodeJson({ sort, order, value, id });
}

/** Read a cursor back. Throws `invalid_cursor` unless it was made for this very sort and order. */
export function decodeCursor(text: string, sort: TaskSort, order: Order): TaskCursor {
  const held = decodeObject(text);
  if (held === undefined) {
    throw new TrailError('invalid_cursor', 'cursor: expected the next_cursor of an earlier page, got something else');
  }
  if (held.sort !== sort || held.order !== order) {
    throw new TrailError(
      'invalid_cursor',
      `cursor: it belongs to another listing, expected sort=${sort}&order=${order}; start again without a cursor`,
    );
  }
  const { value, id } = held;
  const fits = value === null || typeof value === (SORTED_BY_NUMBER.has(sort) ? 'number' : 'string');
  if (!fits || typeof id !== 'string') {
    throw new TrailError('invalid_cursor', 'cursor: expected the next_cursor of an earlier page, got a damaged one');
  }
  return { sort, order, value: value as SortValue, id };
}

/** What a task is sorted by. Tasks without the value (null) come last in either order. */
export function sortValue(task: Task, sort: TaskSort): SortValue {
  switch (sort) {
    case 'created_at':
      return task.createdAt;
    case 'updated_at':
      return task.updatedAt;
    case 'started_at':
      return task.startedAt;
    case 'completed_at':
      return task.completedAt;
    case 'title':
      return task.title;
    case 'status':
      return task.status;
    case 'source':
      return task.source;
    case 'duration':
      return task.metrics.durationSeconds;
    case 'lines':
      return task.log.total;
    case 'errors':
      return task.log.byLevel.ERROR;
    case 'cost':
      return task.metrics.costUsd;
  }
}
