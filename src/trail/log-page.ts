import type { LogEntry } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { PAGE_LINES, PAGE_LINES_MAX } from '../core/limits.ts';
import type { StoreReader } from '../core/ports.ts';
import type { LogPage, LogQuery } from '../core/trail.ts';
import { askedFilter } from '../query/filter.ts';
import { logAnswer } from '../query/log-answer.ts';

/** The page of lines that the API answers, as objects. Throws `invalid_parameter` for a number that is none of the allowed. */
export async function readLogPage(store: StoreReader, taskId: string, query: LogQuery): Promise<LogPage> {
  const { offset = 0, limit = PAGE_LINES, after, before, order = 'asc', count = 'auto', ...asked } = query;
  checkNumber('offset', offset, 0, Number.MAX_SAFE_INTEGER);
  if (limit !== -1) checkNumber('limit', limit, 0, PAGE_LINES_MAX, '-1 or ');
  const answer = logAnswer(store, taskId, {
    filter: askedFilter(asked),
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

/** Throws `invalid_parameter` unless the value is a whole number from `least` to `most`. */
export function checkNumber(name: string, value: number, least: number, most: number, or = ''): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TrailError('invalid_parameter', `${name}: expected ${or}${least}–${most}, got ${value}`);
}
