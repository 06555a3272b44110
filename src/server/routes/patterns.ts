import type { Static } from 'typebox';
import { comparisonToWire, patternsToWire } from '../../core/comparison.ts';
import { checkTaskId } from '../../core/id.ts';
import { PATTERNS, SEARCH_MS } from '../../core/limits.ts';
import { predicate } from '../../core/predicate.ts';
import { compareTasks } from '../../query/compare.ts';
import { type RawSearch, readSearch } from '../../query/search-request.ts';
import type { Context, Routes } from '../context.ts';
import { CompareQuery, Comparison, Patterns, PatternsQuery, TaskPatternsQuery } from '../pattern-shapes.ts';
import { answers, TaskParams } from '../schemas.ts';
import { whileWanted } from '../search-stream.ts';

/** The lines of all tasks by pattern. */
export const patternRoutes: Routes = (scope, context) => {
  scope.get(
    '/api/logs/patterns',
    {
      schema: {
        tags: ['search'],
        summary: 'Count found lines by pattern: what is left of a line without its numbers, ids and paths',
        querystring: PatternsQuery,
        response: answers({ 200: Patterns }),
      },
    },
    async ({ query }, reply) => {
      const { filter, tasks } = scopeOf(query, context);
      return whileWanted(context, reply, (signal) =>
        context.searches.take(
          async () =>
            patternsToWire(await context.store.patterns({ filter, ...(tasks && { tasks }), ...wishOf(query) }, signal)),
          signal,
        ),
      );
    },
  );
};

/** The lines of one task by pattern, and what is new in them. */
export const taskPatternRoutes: Routes = (scope, context) => {
  const { store, searches } = context;
  scope.get(
    '/:task_id/logs/patterns',
    {
      schema: {
        tags: ['lines'],
        summary: 'Count lines by pattern: what is left of a line without its numbers, ids and paths',
        params: TaskParams,
        querystring: TaskPatternsQuery,
        response: answers({ 200: Patterns }),
      },
    },
    async ({ params: { task_id: taskId }, query }, reply) => {
      const { filter } = scopeOf(query, context);
      await store.task(taskId);
      const wanted = { filter, tasks: [taskId], ...wishOf(query) };
      return whileWanted(context, reply, (signal) =>
        searches.take(async () => patternsToWire(await store.patterns(wanted, signal)), signal),
      );
    },
  );
  scope.get(
    '/:task_id/logs/compare',
    {
      schema: {
        tags: ['lines'],
        summary: 'Tell which patterns are new, gone or of another share in this task, compared with a base',
        params: TaskParams,
        querystring: CompareQuery,
        response: answers({ 200: Comparison }),
      },
    },
    async ({ params: { task_id: taskId }, query }, reply) => {
      const { with: base, ...asked } = query;
      const { filter } = scopeOf(asked, context);
      const wanted = { filter, ...wishOf(asked), ...(base !== undefined && { baseId: checkTaskId(base) }) };
      return whileWanted(context, reply, (signal) =>
        searches.take(async () => comparisonToWire(await compareTasks(store, taskId, wanted, signal)), signal),
      );
    },
  );
};

function wishOf({ limit = PATTERNS, budget_ms: budgetMs = SEARCH_MS }: Static<typeof TaskPatternsQuery>) {
  return { limit, budgetMs };
}

/** Of which lines. Patterns of a filter are compiled once here, so that a bad one is refused before anything is looked at. */
function scopeOf(query: RawSearch, { clock }: Context) {
  const { filter, tasks } = readSearch(query, clock.now());
  predicate(filter);
  return { filter, tasks };
}
