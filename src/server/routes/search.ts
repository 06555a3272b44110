import type { Static } from 'typebox';
import {
  type FoundGroup,
  foundToWire,
  type WireFoundGroup,
  type WireLineFacets,
  type WireSearchGroups,
  type WireSearchPage,
} from '../../core/found.ts';
import { PAGE_LINES, SEARCH_MS } from '../../core/limits.ts';
import type { LineFacets as Facets } from '../../core/search.ts';
import { histogramToWire, toSnake } from '../../core/wire.ts';
import { byTask, type PageWish, searchAnswer, unlessGone } from '../../query/search-answer.ts';
import { readSearch, type SearchRequest } from '../../query/search-request.ts';
import type { Context, Routes } from '../context.ts';
import { answers, Histogram, TaskParams } from '../schemas.ts';
import {
  LineFacets,
  SearchFacetsQuery,
  SearchHistogramQuery,
  SearchPage,
  SearchQuery,
  TaskLineFacetsQuery,
} from '../search-shapes.ts';
import { inTurn, sendFound, wantsLines } from '../search-stream.ts';

/** The search across tasks. */
export const searchRoutes: Routes = (scope, context) => {
  scope.get(
    '/api/logs/search',
    {
      schema: {
        tags: ['search'],
        summary: 'Search the lines of all tasks, newest first',
        description: 'With Accept: application/x-ndjson every found line is streamed, up to limit if it is given.',
        querystring: SearchQuery,
        response: answers({ 200: SearchPage }),
      },
    },
    async (request, reply) => {
      const { query } = request;
      const search = readSearch(query, context.clock.now());
      if (wantsLines(request)) return sendFound(context, reply, { search, query });
      return inTurn(context, reply, (signal) => pageOf(context, search, query, signal));
    },
  );
  scope.get(
    '/api/logs/search/histogram',
    {
      schema: {
        tags: ['search'],
        summary: 'Count found lines by time and level',
        querystring: SearchHistogramQuery,
        response: answers({ 200: Histogram }),
      },
    },
    async ({ query }, reply) => {
      const { filter, tasks } = readSearch(query, context.clock.now());
      const { buckets = 60, budget_ms: budgetMs = SEARCH_MS } = query;
      const wanted = { filter, buckets, budgetMs, ...(tasks && { tasks }) };
      return inTurn(context, reply, async (signal) =>
        histogramToWire(await context.store.searchHistogram(wanted, signal)),
      );
    },
  );
  scope.get(
    '/api/logs/search/facets',
    {
      schema: {
        tags: ['search'],
        summary: 'Count found lines by level, source, stream, type and task',
        querystring: SearchFacetsQuery,
        response: answers({ 200: LineFacets }),
      },
    },
    async ({ query }, reply) => {
      const search = readSearch(query, context.clock.now());
      return inTurn(context, reply, (signal) => facetsOf(context, search, query.budget_ms, signal));
    },
  );
};

/** The same counts for one task. */
export const lineFacetRoutes: Routes = (scope, context) => {
  scope.get(
    '/:task_id/logs/facets',
    {
      schema: {
        tags: ['lines'],
        summary: 'Count lines that pass the filters by level, source, stream and type',
        params: TaskParams,
        querystring: TaskLineFacetsQuery,
        response: answers({ 200: LineFacets }),
      },
    },
    async ({ params: { task_id: taskId }, query }, reply) => {
      const search = { ...readSearch(query, context.clock.now()), tasks: [taskId] };
      await context.store.task(taskId);
      return inTurn(context, reply, (signal) => facetsOf(context, search, query.budget_ms, signal));
    },
  );
};

type Query = Static<typeof SearchQuery>;

async function pageOf(
  context: Context,
  search: SearchRequest,
  query: Query,
  signal: AbortSignal,
): Promise<WireSearchPage | WireSearchGroups> {
  const startMs = performance.now();
  const { store } = context;
  const result = await searchAnswer(store, search, wishOf(query), signal);
  const groups = query.group === 'task' ? await byTask(store, result.logs) : undefined;
  const facets = query.facets && (await facetsOf(context, search, query.budget_ms, signal));
  return {
    ...(groups ? { groups: groups.map(groupToWire) } : { logs: result.logs.map(foundToWire) }),
    next_cursor: result.nextCursor,
    scanned_from: result.scannedFrom,
    complete: result.complete,
    took_ms: Math.round(performance.now() - startMs),
    ...(facets && { facets }),
  };
}

function wishOf({ limit = PAGE_LINES, context = 0, budget_ms: budgetMs = SEARCH_MS }: Query): PageWish {
  return { limit, context, budgetMs };
}

function groupToWire({ task, logs }: FoundGroup): WireFoundGroup {
  return { task: toSnake(task), logs: logs.map(foundToWire) };
}

async function facetsOf(
  { store }: Context,
  { filter, tasks }: SearchRequest,
  budgetMs = SEARCH_MS,
  signal?: AbortSignal,
): Promise<WireLineFacets> {
  const found = await store.lineFacets({ filter, budgetMs, ...(tasks && { tasks }) }, signal);
  const { total, exact, level, source, stream, type } = found;
  return { total, total_exact: exact, level, source, stream, type, tasks: await named(store, found.tasks) };
}

/** The tasks with their titles; of one that was deleted meanwhile there is none. */
function named(store: Context['store'], top: Facets['tasks']): Promise<WireLineFacets['tasks']> {
  return Promise.all(
    top.map(async ({ taskId, lines }) => {
      const task = await unlessGone(store.task(taskId));
      return { task_id: taskId, title: task?.title ?? null, lines };
    }),
  );
}
