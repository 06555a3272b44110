import type { FastifyReply } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { ANALYTICS_GROUPS, type Analytics, type AnalyticsQuery, analyticsQuery } from '../../core/analytics.ts';
import { ANALYTICS_DAYS, ANALYTICS_PARTS } from '../../core/limits.ts';
import { STATUSES } from '../../core/status.ts';
import { analyticsCsv, analyticsToWire } from '../../core/wire-analytics.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const AnalyticsAsk = Type.Object({
  from: Type.Optional(
    Type.String({ description: `Tasks made at or after this time (default: the last ${ANALYTICS_DAYS} days)` }),
  ),
  to: Type.Optional(Type.String({ description: 'Tasks made before this time (default: the end of today, UTC)' })),
  group_by: Type.Optional(Type.Enum([...ANALYTICS_GROUPS], { default: 'day' })),
  split_by: Type.Optional(
    Type.Enum([...ANALYTICS_GROUPS], {
      description: `What each group is made of by another word: the ${ANALYTICS_PARTS} dearest, the rest as other`,
    }),
  ),
  format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'csv: a file with a row for each group' })),
});

const count = Type.Integer({ minimum: 0 });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const figure = (description?: string) =>
  Type.Union([Type.Number({ minimum: 0 }), Type.Null()], description === undefined ? {} : { description });
const time = Type.String({ format: 'date-time' });
const status = Type.Enum([...STATUSES]);
const figures = {
  runs: count,
  by_status: Type.Record(Type.String(), count, { description: 'Only statuses that some have' }),
  ended: count,
  success_rate: figure('Completed ones of those that ended, 0–1'),
  cost_usd: figure('null: no task reported one'),
  input_tokens: figure(),
  output_tokens: figure(),
  cache_read_tokens: figure(),
  cache_creation_tokens: figure(),
  duration_p50_seconds: figure('Half of them took no longer'),
  duration_p95_seconds: figure('95 of 100 took no longer'),
  duration_exact: Type.Boolean({ description: 'false: durations of deleted tasks are among them, known to 2.5 %' }),
  lines: count,
  errors: Type.Integer({ minimum: 0, description: 'Lines of level ERROR' }),
};
const key = Type.Union([Type.String(), Type.Null()], { description: 'null: tasks that name none' });
const { runs, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens } = figures;
const AnalyticsAnswer = Type.Object({
  from: time,
  to: time,
  group_by: Type.Enum([...ANALYTICS_GROUPS]),
  split_by: Type.Optional(Type.Enum([...ANALYTICS_GROUPS])),
  total: Type.Object(figures),
  groups: Type.Array(
    Type.Object({
      key,
      ...figures,
      parts: Type.Optional(
        Type.Array(
          Type.Object({
            key,
            ...{ runs, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens },
          }),
          { description: 'With split_by only' },
        ),
      ),
    }),
  ),
  top_cost: Type.Array(
    Type.Object({
      task_id: Type.String(),
      title: orNull(Type.String()),
      status,
      assigned_agent: orNull(Type.String()),
      cost_usd: Type.Number(),
    }),
  ),
  top_failures: Type.Array(
    Type.Object({
      template: Type.Union([Type.String(), Type.Null()], { description: 'The error without numbers, ids and paths' }),
      count,
      task_id: Type.String({ description: 'The newest of them' }),
      example: orNull(Type.String()),
    }),
  ),
  top_failures_exact: Type.Boolean({ description: 'false: only the newest failures were looked at' }),
});

/** What the tasks of a time came to together. */
export const analyticsRoutes: Routes = (scope, { store, clock }) => {
  const ask = shared((query) => store.analytics(query));
  scope.get(
    '/api/analytics',
    {
      schema: {
        tags: ['tasks'],
        summary: 'Runs, success, cost, tokens and durations by day, source, agent, model or status',
        produces: ['application/json', 'text/csv'],
        querystring: AnalyticsAsk,
        response: answers({ 200: AnalyticsAnswer }),
      },
    },
    async ({ query: { from, to, group_by: groupBy, split_by: splitBy, format } }, reply) => {
      const asked = {
        ...(from && { from }),
        ...(to && { to }),
        ...(groupBy && { groupBy }),
        ...(splitBy && { splitBy }),
      };
      const analytics = await ask(analyticsQuery(asked, clock.now()));
      reply.header('cache-control', 'no-store');
      if (format !== 'csv') return reply.send(analyticsToWire(analytics));
      const name = `analytics-${analytics.groupBy}-${analytics.from.slice(0, 10)}.csv`;
      reply.type('text/csv; charset=utf-8; header=present');
      reply.header('content-disposition', `attachment; filename="${name}"`);
      return (reply as FastifyReply).send(analyticsCsv(analytics));
    },
  );
};

type Ask = (query: AnalyticsQuery) => Promise<Analytics>;

/** Many who ask the same at once are answered by one reading, and those who ask other things one after the other. */
function shared(read: Ask): Ask {
  const underWay = new Map<string, Promise<Analytics>>();
  let last: Promise<unknown> = Promise.resolve();
  return (query) => {
    const key = JSON.stringify(query);
    const known = underWay.get(key);
    if (known) return known;
    const answer = last.then(() => read(query)).finally(() => underWay.delete(key));
    last = answer.catch(() => {});
    underWay.set(key, answer);
    return answer;
  };
}
