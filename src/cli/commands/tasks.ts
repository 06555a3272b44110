import { TrailError } from '../../core/error.ts';
import { PAGE_TASKS_MAX } from '../../core/limits.ts';
import type { AskedTasks } from '../../core/query.ts';
import { parseStatus, type Status } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';
import { taskToWire } from '../../core/wire.ts';
import { withQuery } from '../query-place.ts';
import type { Config } from '../settings.ts';
import { spanText } from '../span.ts';
import { jsonText, type Style, safeText, styled, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface TasksOptions {
  readonly status?: string;
  readonly source?: string;
  readonly query?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

/** List tasks, newest first. */
export async function tasks(terminal: Terminal, config: Config, options: TasksOptions): Promise<number> {
  const query = queryOf(options);
  const list = () => withTarget(terminal, config, ({ trail }) => trail.tasks(query));
  const page = await withQuery(terminal, { query: options.query, of: 'tasks' }, list);
  if (options.json) {
    for (const task of page.tasks) await terminal.print(`${jsonText(taskToWire(task))}\n`);
    return 0;
  }
  await terminal.print(table(page.tasks, terminal));
  if (page.nextCursor) terminal.tell(`${page.tasks.length} of ${page.total} tasks; --limit shows more`);
  return 0;
}

function queryOf({ status, source, query, limit = '50' }: TasksOptions): AskedTasks {
  const count = Number(limit);
  if (!/^\d+$/.test(limit) || count < 1 || count > PAGE_TASKS_MAX) {
    throw new TrailError('invalid_usage', `--limit: expected a whole number, 1–${PAGE_TASKS_MAX}, got ${limit}`);
  }
  const statuses = partsOf(status).map(parseStatus);
  const sources = partsOf(source);
  return {
    limit: count,
    ...(query !== undefined && { q: query }),
    ...(statuses.length > 0 && { status: statuses }),
    ...(sources.length > 0 && { source: sources }),
  };
}

const HEAD = ['STATUS', 'ID', 'TITLE', 'STARTED', 'DURATION', 'LINES', 'ERRORS'] as const;
const TITLE = HEAD.indexOf('TITLE');
const TITLE_CHARS = 60;
const GAP = '  ';

const STATUS_STYLES: Readonly<Partial<Record<Status, Style>>> = {
  completed: 'green',
  failed: 'red',
  timed_out: 'red',
  executing: 'cyan',
  awaiting_input: 'yellow',
  pending_approval: 'yellow',
};

function table(list: readonly Task[], { columns, colour }: Terminal): string {
  const rows = [HEAD as readonly string[], ...list.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const others = widths.reduce((sum, width, column) => (column === TITLE ? sum : sum + width + GAP.length), 0);
  const room = columns === undefined ? TITLE_CHARS : Math.max(10, columns - others);
  widths[TITLE] = Math.min(widths[TITLE] ?? 0, room);
  const lines = rows.map((row, index) => {
    const padded = row.map((cell, column) => fitted(cell, widths[column] ?? 0, column >= HEAD.indexOf('DURATION')));
    const status = list[index - 1]?.status;
    padded[0] = styled(padded[0] ?? '', index === 0 ? 'bold' : status && STATUS_STYLES[status], colour);
    return padded.join(GAP).trimEnd();
  });
  return `${lines.join('\n')}\n`;
}

function cells(task: Task): readonly string[] {
  const { status, taskId, title, kind, startedAt, createdAt, metrics, log } = task;
  return [
    status,
    taskId,
    safeText((title ?? kind ?? '').replace(/\s+/g, ' '), { colour: false }),
    (startedAt ?? createdAt).replace(/\.\d{3}Z$/, 'Z'),
    metrics.durationSeconds === null ? '' : spanText(metrics.durationSeconds),
    String(log.total),
    String(log.byLevel.ERROR),
  ];
}

function fitted(text: string, width: number, right: boolean): string {
  const cut = text.length > width ? `${text.slice(0, width - 1).toWellFormed()}…` : text;
  return right ? cut.padStart(width) : cut.padEnd(width);
}

function partsOf(text = ''): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
