import { TrailError } from '../core/error.ts';
import { checkTaskId } from '../core/id.ts';
import { PAGE_LINES, PAGE_LINES_MAX, TASK_LOGS_REDIS_TTL_SECONDS } from '../core/limits.ts';
import { type ListedLine, listKey } from '../core/list.ts';
import { isoTime } from '../core/time.ts';

/** What these functions need of a Redis client; one of ioredis has it. */
export interface ListRedis {
  multi(): ListTransaction;
  llen(key: string): Promise<number>;
  lrange(key: string, start: number, stop: number): Promise<string[]>;
}

export interface ListTransaction {
  rpush(key: string, value: string): ListTransaction;
  expire(key: string, seconds: number): ListTransaction;
  /** For each command its error or null, and its answer. */
  exec(): Promise<[error: Error | null, answer: unknown][] | null>;
}

/** A page of a list, as the API answers it. */
export interface ListedPage {
  readonly task_id: string;
  readonly logs: readonly ListedLine[];
  readonly offset: number;
  readonly limit: number;
  readonly total: number;
  readonly has_more: boolean;
}

/**
 * Append a line to the list `tasks:{task_id}:logs` with the time now, and renew the list's expiry: for programs that have Redis and
 * no server. The list of a task that a server has is that server's to write.
 */
export async function appendTaskLog(
  redis: ListRedis,
  taskId: string,
  line: string,
  ttlSeconds: number = TASK_LOGS_REDIS_TTL_SECONDS,
): Promise<void> {
  const key = listKey(checkTaskId(taskId));
  const value = JSON.stringify({ timestamp: isoTime(Date.now()), message: line } satisfies ListedLine);
  // One step: a list must not stay for ever because its program died between the two.
  const answers = await redis.multi().rpush(key, value).expire(key, ttlSeconds).exec();
  for (const [error] of answers ?? []) if (error) throw error;
}

/**
 * Read lines of the list `tasks:{task_id}:logs`. A list that has reached its cap slides: the offset counts from its first line then.
 * @param offset lines to skip (default 0)
 * @param limit  most lines (default 100; 0–10000, or -1 for all)
 * @throws       `invalid_parameter` when one of them is none
 */
export async function getTaskLogs(
  redis: ListRedis,
  taskId: string,
  offset = 0,
  limit: number = PAGE_LINES,
): Promise<ListedPage> {
  const key = listKey(checkTaskId(taskId));
  checkWindow(offset, limit);
  const [length, lines] = await Promise.all([
    redis.llen(key),
    limit === 0 ? [] : redis.lrange(key, offset, limit === -1 ? -1 : offset + limit - 1),
  ]);
  // Lines may have come between the two.
  const total = lines.length === 0 ? length : Math.max(length, offset + lines.length);
  const logs = lines.map(lineOf);
  return { task_id: taskId, logs, offset, limit, total, has_more: offset + logs.length < total };
}

function checkWindow(offset: number, limit: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new TrailError('invalid_parameter', `offset must be a whole number from 0 on, got ${offset}`);
  }
  if (!Number.isSafeInteger(limit) || limit < -1 || limit > PAGE_LINES_MAX) {
    throw new TrailError('invalid_parameter', `limit must be -1 or 0–${PAGE_LINES_MAX}, got ${limit}`);
  }
}

/** Any program may write to a list: what is no line of this form is shown as it is. */
function lineOf(text: string): ListedLine {
  try {
    const { timestamp, message } = JSON.parse(text) as { timestamp?: unknown; message?: unknown };
    if (typeof message === 'string') return { timestamp: typeof timestamp === 'string' ? timestamp : '', message };
  } catch {
    // Not JSON.
  }
  return { timestamp: '', message: text };
}
