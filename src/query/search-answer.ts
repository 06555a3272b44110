import type { LogEntry } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import type { Around, FoundGroup, FoundLine, SearchResult } from '../core/found.ts';
import { FOUND_CHARS } from '../core/limits.ts';
import type { StoreReader } from '../core/ports.ts';
import type { SearchPlace } from '../core/search.ts';
import { highlighter } from './highlight.ts';
import { pages } from './page.ts';
import { encodeSearchCursor } from './search-cursor.ts';
import type { SearchRequest } from './search-request.ts';

export interface PageWish {
  readonly limit: number;
  /** Lines before and after each found one. */
  readonly context: number;
  readonly budgetMs: number;
}

/** Marking and reading around lines takes a while on a full page: others get their turn after so long. */
const TURN_MS = 10;

/** A page of found lines as the API answers it. It ends early where its lines are very long; the next one goes on there. */
export async function searchAnswer(
  store: StoreReader,
  search: SearchRequest,
  { limit, context, budgetMs }: PageWish,
  signal?: AbortSignal,
): Promise<SearchResult> {
  const { filter, tasks, after } = search;
  const query = { filter, limit, budgetMs, ...(tasks && { tasks }), ...(after && { after }) };
  const page = await store.search(query, signal);
  const highlights = highlighter(filter);
  const logs: FoundLine[] = [];
  let chars = 0;
  let turnMs = performance.now();
  for (const entry of page.entries) {
    const line: FoundLine = {
      ...entry,
      highlights: highlights(entry.message),
      ...(context > 0 && { context: await around(store, entry, context) }),
    };
    chars += charsOf(line);
    if (chars > FOUND_CHARS && logs.length > 0) return ended(logs, search);
    logs.push(line);
    if (performance.now() - turnMs > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      turnMs = performance.now();
    }
  }
  return {
    logs,
    nextCursor: page.next && cursorOf(search, page.next),
    scannedFrom: page.scannedFrom,
    complete: page.complete,
  };
}

/** The lines by task, the task of the first line first. A task that was deleted meanwhile is left out. */
export async function byTask(store: StoreReader, logs: readonly FoundLine[]): Promise<readonly FoundGroup[]> {
  const groups: FoundGroup[] = [];
  for (const [id, ofTask] of Map.groupBy(logs, (line) => line.taskId)) {
    const task = await unlessGone(store.task(id));
    if (!task) continue;
    const { taskId, title, status, kind, assignedAgent, createdAt } = task;
    groups.push({ task: { taskId, title, status, kind, assignedAgent, createdAt }, logs: ofTask });
  }
  return groups;
}

/** What the promise gives; undefined when the task is not there any more. */
export async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof TrailError && (error.code === 'task_deleted' || error.code === 'task_not_found')) return;
    throw error;
  }
}

async function around(store: StoreReader, { taskId, seq }: LogEntry, count: number): Promise<Around<LogEntry>> {
  const window = { after: Math.max(0, seq - count - 1), before: seq + count + 1 };
  const lines = (await unlessGone(readAll(store, taskId, window))) ?? [];
  return { before: lines.filter((line) => line.seq < seq), after: lines.filter((line) => line.seq > seq) };
}

async function readAll(
  store: StoreReader,
  taskId: string,
  window: { after: number; before: number },
): Promise<LogEntry[]> {
  const lines: LogEntry[] = [];
  for await (const page of pages(store, taskId, window)) lines.push(...page.entries);
  return lines;
}

function charsOf({ message, metadata, context }: Pick<FoundLine, 'message' | 'metadata' | 'context'>): number {
  const near = context ? [...context.before, ...context.after] : [];
  const own = message.length + (metadata === null ? 0 : JSON.stringify(metadata).length);
  return near.reduce((sum, line) => sum + charsOf(line), own);
}

/** The page up to its last line. */
function ended(logs: readonly FoundLine[], search: SearchRequest): SearchResult {
  const last = logs.at(-1) as FoundLine;
  return { logs, nextCursor: cursorOf(search, last), scannedFrom: last.timestamp, complete: true };
}

function cursorOf({ nowMs, key }: SearchRequest, { timestamp, taskId, seq }: SearchPlace): string {
  return encodeSearchCursor({ nowMs, key, place: { timestamp, taskId, seq } });
}
