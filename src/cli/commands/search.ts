import type { LogEntry } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { parseFilter } from '../../core/filter.ts';
import { type FoundLine, foundToWire, type SearchOptions, type SearchResult } from '../../core/found.ts';
import { checkTaskId } from '../../core/id.ts';
import { CONTEXT_LINES_MAX, PAGE_LINES, SEARCH_LINES_MAX } from '../../core/limits.ts';
import type { Trail } from '../../core/trail.ts';
import { rawFilterOf } from '../filter-options.ts';
import { lineText } from '../line-text.ts';
import { showPlace } from '../query-place.ts';
import type { Config } from '../settings.ts';
import { jsonText, safeText, styled, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface SearchCommandOptions {
  readonly task?: string;
  readonly context?: string;
  readonly group?: boolean;
  readonly limit?: string;
  readonly all?: boolean;
  readonly cursor?: string;
  readonly json?: boolean;
  readonly [filter: string]: unknown;
}

/** Print what the words find, newest first. Answers 1 when they find nothing, as grep does. */
export async function search(
  terminal: Terminal,
  config: Config,
  words: readonly string[],
  options: SearchCommandOptions,
): Promise<number> {
  const query = queryOf(words, options);
  return withTarget(terminal, config, async ({ trail }) => {
    const print = printer(terminal, trail, options);
    try {
      return (await eachPage(trail, query, { all: options.all === true, print, terminal })) > 0 ? 0 : 1;
    } catch (error) {
      showPlace(terminal, query.q ?? '', error);
      throw error;
    }
  });
}

function queryOf(words: readonly string[], options: SearchCommandOptions): SearchOptions {
  const unknown = words.find((word) => word.startsWith('--'));
  if (unknown !== undefined) throw new TrailError('invalid_usage', `unknown option ${unknown}; see search --help`);
  const { task, cursor, all } = options;
  const raw = rawFilterOf(options);
  const q = words.join(' ').trim();
  if (q === '' && task === undefined && Object.values(raw).every((value) => value === undefined)) {
    throw new TrailError('invalid_usage', 'expected what to search for, such as: tasktrail search timeout');
  }
  const tasks = task?.split(',').map((id) => checkTaskId(id.trim()));
  return {
    ...parseFilter(raw),
    limit: all ? SEARCH_LINES_MAX : countOf('limit', options.limit ?? String(PAGE_LINES), 1, SEARCH_LINES_MAX),
    context: countOf('context', options.context ?? '0', 0, CONTEXT_LINES_MAX),
    ...(q !== '' && { q }),
    ...(tasks && { tasks }),
    ...(cursor !== undefined && { cursor }),
  };
}

function countOf(name: string, text: string, least: number, most: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= least && count <= most) return count;
  throw new TrailError('invalid_usage', `--${name}: expected a whole number, ${least}–${most}, got ${text}`);
}

type Print = (lines: readonly FoundLine[]) => Promise<void>;

/** One page, or with `all` every page; says how far it came when that is not everything. Answers how many lines it found. */
async function eachPage(
  trail: Trail,
  query: SearchOptions,
  { all, print, terminal }: { all: boolean; print: Print; terminal: Terminal },
): Promise<number> {
  let found = 0;
  for (let rest = query; ; ) {
    const page = await trail.search(rest);
    found += page.logs.length;
    await print(page.logs);
    if (page.nextCursor === null) return found;
    tellPlace(terminal, page, all);
    if (!all) return found;
    rest = { ...query, cursor: page.nextCursor };
  }
}

function tellPlace(terminal: Terminal, { scannedFrom, complete, nextCursor }: SearchResult, all: boolean): void {
  const back = scannedFrom === null ? '' : `searched back to ${scannedFrom}`;
  if (all) {
    if (!complete) terminal.tell(`${back} …`);
    return;
  }
  const more = complete ? 'there are more' : 'the time was up';
  terminal.tell(`${back}, ${more}; run again with --all, or with --cursor ${nextCursor}`);
}

/** What a page is printed as: JSON, lines, or lines under their task; with context, blocks as those of grep. */
function printer(terminal: Terminal, trail: Trail, { json, group, context }: SearchCommandOptions): Print {
  if (json) {
    return async (lines) => {
      for (const line of lines) await terminal.print(`${jsonText(foundToWire(line))}\n`);
    };
  }
  const blocks = context !== undefined && context !== '0';
  let printed = false;
  const printLine = async (line: FoundLine): Promise<void> => {
    if (blocks && printed) await terminal.print('--\n');
    printed = true;
    await terminal.print(block(terminal, line, { blocks, named: !group }));
  };
  if (!group) {
    return async (lines) => {
      for (const line of lines) await printLine(line);
    };
  }
  return async (lines) => {
    for (const [taskId, ofTask] of Map.groupBy(lines, (line) => line.taskId)) {
      const head = styled(await headOf(trail, taskId), 'bold', terminal.colour);
      await terminal.print(`${printed ? '\n' : ''}${head}\n`);
      printed = false;
      for (const line of ofTask) await printLine(line);
      printed = true;
    }
  };
}

async function headOf(trail: Trail, taskId: string): Promise<string> {
  try {
    const { title, kind, status } = await trail.get(taskId);
    return [taskId, status, safeText(title ?? kind ?? '', { colour: false }).replace(/\s+/g, ' ')].join('  ').trimEnd();
  } catch (error) {
    // It was deleted between the search and now; its lines were found all the same.
    if (error instanceof TrailError && (error.code === 'task_deleted' || error.code === 'task_not_found'))
      return taskId;
    throw error;
  }
}

function block({ colour }: Terminal, line: FoundLine, { blocks, named }: { blocks: boolean; named: boolean }): string {
  const task = named ? { task: line.taskId } : {};
  const { highlights, context } = line;
  const found = lineText(line, { colour, highlights, ...task });
  if (!blocks) return found;
  const near = (each: LogEntry): string => `  ${lineText(each, { colour, ...task })}`;
  return [...(context?.before ?? []).map(near), `> ${found}`, ...(context?.after ?? []).map(near)].join('');
}
