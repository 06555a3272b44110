import type { Static } from 'typebox';
import { comparisonToWire, patternsToWire } from '../../core/comparison.ts';
import { checkTaskId } from '../../core/id.ts';
import { PATTERNS, SEARCH_MS } from '../../core/limits.ts';
import { compareTasks } from '../../query/compare.ts';
import { readSearch } from '../../query/search-request.ts';
import type { Routes } from '../context.ts';
import { CompareQuery, Comparison, Patterns, PatternsQuery, TaskPatternsQuery } from '../pattern-shapes.ts';
import { answers, TaskParams } from '../schemas.ts';
import { inTurn } from '../search-stream.ts';

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
      const { filter, tasks } = readSearch(query, context.clock.now());
      const wanted = { filter, ...(tasks && { tasks }), ...wishOf(query) };
      return inTurn(context, reply, async (signal) => patternsToWire(await context.store.patterns(wanted, signal)));
    },
  );
};

/** The lines of one task by pattern, and what is new in them. */
export const taskPatternRoutes: Routes = (scope, context) => {
  const { store } = context;
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
      const { filter } = readSearch(query, context.clock.now());
      await store.task(taskId);
      const wanted = { filter, tasks: [taskId], ...wishOf(query) };
      return inTurn(context, reply, async (signal) => patternsToWire(await store.patterns(wanted, signal)));
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
      const { filter } = readSearch(asked, context.clock.now());
      const wanted = { filter, ...wishOf(asked), ...(base !== undefined && { baseId: checkTaskId(base) }) };
      return inTurn(context, reply, async (signal) =>
        comparisonToWire(await compareTasks(store, taskId, wanted, signal)),
      );
    },
  );
};

function wishOf({ limit = PATTERNS, budget_ms: budgetMs = SEARCH_MS }: Static<typeof TaskPatternsQuery>) {
  return { limit, budgetMs };
}
