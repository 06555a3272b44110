import { OUTLINE_MARKS } from '../../core/limits.ts';
import { outlineToWire } from '../../core/outline.ts';
import { outlineAnswer } from '../../query/outline.ts';
import type { Routes } from '../context.ts';
import { Outline, OutlineQuery } from '../outline-shapes.ts';
import { answers, TaskParams } from '../schemas.ts';

/** What a task consists of: groups, turns, tool calls. */
export const outlineRoutes: Routes = (scope, { store }) => {
  scope.get(
    '/:task_id/outline',
    {
      schema: {
        tags: ['lines'],
        summary: 'List the lines that begin, end or name a part of the task: groups, turns, tool calls, results',
        params: TaskParams,
        querystring: OutlineQuery,
        response: answers({ 200: Outline }),
      },
    },
    async ({ params, query: { after = 0, limit = OUTLINE_MARKS } }, reply) =>
      reply.send(outlineToWire(await outlineAnswer(store, params.task_id, { after, limit }))),
  );
};
