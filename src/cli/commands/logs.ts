import type { LogEntry } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import type { LogFilter } from '../../core/filter.ts';
import { checkTaskId } from '../../core/id.ts';
import { PAGE_LINES_MAX } from '../../core/limits.ts';
import type { Trail } from '../../core/trail.ts';
import { toSnake } from '../../core/wire.ts';
import { readFilter } from '../../query/filter.ts';
import { fencedLines } from '../fenced-lines.ts';
import { rawFilterOf } from '../filter-options.ts';
import { lineText } from '../line-text.ts';
import { withQuery } from '../query-place.ts';
import type { Config } from '../settings.ts';
import { jsonText, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly tail?: string;
  readonly json?: boolean;
  readonly raw?: boolean;
  readonly agent?: boolean;
  readonly query?: string;
  readonly [filter: string]: unknown;
}

/** Lines of one read: few enough for any memory, many enough to be quick. */
const READ_LINES = 1_000;

/** Print a task's lines: all that is stored, or the last ones, and with `follow` those that come. */
export async function logs(terminal: Terminal, config: Config, id: string, options: LogsOptions): Promise<number> {
  const taskId = checkTaskId(id);
  const tail = countOf('tail', options.tail);
  const show = (entry: LogEntry): string =>
    options.json ? `${jsonText(toSnake(entry))}\n` : lineText(entry, { colour: terminal.colour, raw: options.raw });
  await withQuery(terminal, { query: options.query, of: 'lines' }, async () => {
    const filter = readFilter(rawFilterOf(options));
    await withTarget(terminal, config, async ({ trail }) => {
      const lines = options.follow
        ? trail.follow(taskId, { ...filter, ...(tail !== undefined && { tail }) })
        : stored(trail, taskId, filter, tail);
      if (options.agent) {
        for await (const text of fencedLines(lines, taskId)) await terminal.print(text);
      } else for await (const entry of lines) await terminal.print(show(entry));
    });
  });
  return 0;
}

async function* stored(trail: Trail, taskId: string, filter: LogFilter, tail?: number): AsyncGenerator<LogEntry> {
  if (tail !== undefined) {
    yield* await lastLines(trail, taskId, filter, tail);
    return;
  }
  for (let after = 0, more = true; more; ) {
    const page = await trail.logs(taskId, { ...filter, after, limit: READ_LINES, count: 'none' });
    yield* page.logs;
    const last = page.scannedTo ?? page.logs.at(-1)?.seq;
    more = page.hasMore && last !== undefined;
    after = last ?? after;
  }
}

async function lastLines(trail: Trail, taskId: string, filter: LogFilter, tail: number): Promise<readonly LogEntry[]> {
  if (tail === 0) await trail.get(taskId);
  const pages: (readonly LogEntry[])[] = [];
  let missing = tail;
  for (let before: number | undefined, more = missing > 0; more; ) {
    const limit = Math.min(missing, READ_LINES);
    const window = before === undefined ? {} : { before };
    const page = await trail.logs(taskId, { ...filter, ...window, limit, order: 'desc', count: 'none' });
    pages.unshift(page.logs.toReversed());
    missing -= page.logs.length;
    before = page.scannedTo ?? page.logs.at(-1)?.seq;
    more = page.hasMore && missing > 0 && before !== undefined;
  }
  return pages.flat();
}

function countOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= PAGE_LINES_MAX) return count;
  throw new TrailError('invalid_usage', `--${name}: expected a whole number, 0–${PAGE_LINES_MAX}, got ${text}`);
}
