import { ulid } from 'ulid';
import { TrailError } from './error.ts';
import { TASK_ID_CHARS } from './limits.ts';

const TASK_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]*$/;

/** A new task id: `task-` and a ULID, so that ids sort by time (https://github.com/ulid/spec). */
export function newTaskId(): string {
  return `task-${ulid()}`;
}

/** The id itself when it is one: 1–128 of `A-Z a-z 0-9 . _ : -`, starting with a letter or digit. */
export function checkTaskId(value: unknown): string {
  if (typeof value === 'string' && value.length <= TASK_ID_CHARS && TASK_ID.test(value)) return value;
  const came = typeof value === 'string' ? JSON.stringify(value.slice(0, 140)) : typeof value;
  throw new TrailError(
    'invalid_task_id',
    `a task id has 1–${TASK_ID_CHARS} characters of A-Z a-z 0-9 . _ : - and starts with a letter or digit, got ${came}`,
  );
}
