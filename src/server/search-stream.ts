import type { FastifyReply } from 'fastify';
import { TrailError } from '../core/error.ts';
import { foundToWire, type SearchResult } from '../core/found.ts';
import { PAGE_LINES } from '../core/limits.ts';
import { searchAnswer } from '../query/search-answer.ts';
import { decodeSearchCursor } from '../query/search-cursor.ts';
import type { SearchRequest } from '../query/search-request.ts';
import type { Context } from './context.ts';
import { pour } from './stream.ts';

const NDJSON = 'application/x-ndjson';
/** What was found leaves after so long, be it little. */
const STEP_MS = 500;

export function wantsLines({ headers }: FastifyReply['request']): boolean {
  return headers.accept?.includes(NDJSON) ?? false;
}

/** Answer what `work` makes, unless the asker goes before: then the work is cancelled, and there is nobody to answer. */
async function whileWanted<T>(
  { closing }: Context,
  reply: FastifyReply,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | FastifyReply> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  try {
    return await work(AbortSignal.any([gone.signal, closing]));
  } catch (error) {
    if (gone.signal.aborted) return reply.hijack();
    if (closing.aborted) throw new TrailError('store_closed', 'the server stops; search again in a moment');
    throw error;
  }
}

/** The same in its turn among the searches. */
export function inTurn<T>(
  context: Context,
  reply: FastifyReply,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | FastifyReply> {
  return whileWanted(context, reply, (signal) => context.searches.take(() => work(signal), signal));
}

interface Streaming {
  readonly limit?: number;
  readonly context?: number;
  readonly budget_ms?: number;
  readonly group?: string;
  readonly facets?: boolean;
}

/** Stream what is found while it is found. The last record says how the search ended; a stream without it was cut. */
export function sendFound(
  context: Context,
  reply: FastifyReply,
  { search, query }: { search: SearchRequest; query: Streaming },
): Promise<FastifyReply | undefined> {
  for (const name of ['group', 'facets'] as const) {
    if (!query[name]) continue;
    throw new TrailError('invalid_parameter', `${name}: it does not go with NDJSON, which has lines only`, {
      errors: [{ path: name, detail: 'does not go with NDJSON' }],
    });
  }
  return whileWanted(context, reply, async (signal) => {
    const texts = foundTexts(context, { search, query }, signal);
    // The first page is awaited, so that a search that cannot begin is still answered by a problem.
    const first = await texts.next();
    const headers = {
      'content-type': `${NDJSON}; charset=utf-8`,
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
    };
    await pour(reply, headers, joined(first.value ?? '', texts, reply));
    return undefined;
  });
}

async function* joined(first: string, rest: AsyncGenerator<string>, { raw }: FastifyReply): AsyncGenerator<string> {
  yield first;
  try {
    yield* rest;
  } catch (error) {
    // A reader who goes ends the search; that is no fault.
    if (!raw.destroyed) throw error;
  }
}

/** Page after page, each made when the one before has left: a slow reader takes no turn from others meanwhile. */
async function* foundTexts(
  { store, searches }: Context,
  { search, query }: { search: SearchRequest; query: Streaming },
  signal: AbortSignal,
): AsyncGenerator<string, undefined> {
  const { context = 0, budget_ms: budgetMs = STEP_MS } = query;
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  let rest = search;
  for (let begun = false; ; begun = true) {
    const from = rest;
    const wish = { limit: Math.min(left, PAGE_LINES), context, budgetMs };
    const result = await searches.take(() => searchAnswer(store, from, wish, signal), signal, begun);
    left -= result.logs.length;
    yield recordsOf(result, left === 0);
    if (result.nextCursor === null || left === 0) return;
    rest = { ...search, after: decodeSearchCursor(result.nextCursor).place };
  }
}

/** Control records bear `event`, which no line has. */
function recordsOf({ logs, nextCursor, scannedFrom, complete }: SearchResult, enough: boolean): string {
  const records: object[] = logs.map(foundToWire);
  const place = { scanned_from: scannedFrom, next_cursor: nextCursor };
  if (nextCursor === null || enough) records.push({ event: 'end', ...place });
  else if (!complete) records.push({ event: 'progress', ...place });
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}
