import type { LogEntry } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { PAGE_LINES, PAGE_LINES_MAX } from '../core/limits.ts';
import type { StoreReader } from '../core/ports.ts';
import type { LogPage, LogQuery } from '../core/trail.ts';
import { logAnswer } from '../query/log-answer.ts';

/** The page of lines that the API answers, as objects. Throws `invalid_parameter` for a number that is none of the allowed. */
export async function readLogPage(store: StoreReader, taskId: string, query: LogQuery): Promise<LogPage> {
  const { offset = 0, limit = PAGE_LINES, after, before, order = 'asc', count = 'auto', ...filter } = query;
  check('offset', offset, 0, Number.MAX_SAFE_INTEGER);
  if (limit !== -1) check('limit', limit, 0, PAGE_LINES_MAX);
  const answer = logAnswer(store, taskId, {
    filter,
    offset,
    limit,
    order,
    count,
    ...(after !== undefined && { after }),
    ...(before !== undefined && { before }),
  });
  const logs: LogEntry[] = [];
  for (;;) {
    const step = await answer.next();
    if (step.done) return { taskId, logs, offset, limit, ...step.value };
    logs.push(...step.value.entries);
  }
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const all = name === 'limit' ? '-1 or ' : '';
  throw new TrailError('invalid_parameter', `${name}: expected ${all}${least}–${most}, got ${value}`);
}
