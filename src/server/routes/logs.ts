import type { Static } from 'typebox';
import { Type } from 'typebox';
import { TrailError } from '../../core/error.ts';
import { PAGE_LINES } from '../../core/limits.ts';
import type { StoreReader } from '../../core/ports.ts';
import { histogramToWire, statsToWire } from '../../core/wire.ts';
import { readFilter } from '../../query/filter.ts';
import { type LogAnswerQuery, logAnswer } from '../../query/log-answer.ts';
import type { Context, Routes, Scope } from '../context.ts';
import { sendFollow } from '../follow.ts';
import { markedJson } from '../marked.ts';
import { answers, Histogram, HistogramQuery, LogPage, LogQuery, Stats, TaskParams } from '../schemas.ts';
import { sendText } from '../stream.ts';

/** Pages of lines, and following. `marked` puts `[stdout] ` or `[stderr] ` before what a process printed. */
export function logRoutes(scope: Scope, context: Context, { marked }: { marked: boolean }): void {
  const { store } = context;
  scope.get(
    '/:task_id/logs',
    {
      schema: {
        tags: ['lines'],
        summary: 'Read or follow lines',
        description: 'With follow=true the answer is text/event-stream, or NDJSON for Accept: application/x-ndjson.',
        params: TaskParams,
        querystring: LogQuery,
        response: answers({ 200: LogPage }),
      },
    },
    async (request, reply) => {
      const { query, params } = request;
      if (query.follow) return sendFollow(context, request, reply, { taskId: params.task_id, query, marked });
      if (query.tail !== undefined) throw new TrailError('invalid_parameter', 'tail: it goes with follow=true only');
      const texts = answerText(store, params.task_id, { query: answerQuery(query), marked });
      return sendText(reply.type('application/json; charset=utf-8'), texts);
    },
  );
}

/** What is known of all lines together. */
export const figureRoutes: Routes = (scope, { store }) => {
  scope.get(
    '/:task_id/logs/stats',
    { schema: { tags: ['lines'], summary: 'Count lines', params: TaskParams, response: answers({ 200: Stats }) } },
    async ({ params }, reply) => reply.send(statsToWire(await store.stats(params.task_id))),
  );
  scope.get(
    '/:task_id/logs/sources',
    {
      schema: {
        tags: ['lines'],
        summary: 'List the sources of lines',
        params: TaskParams,
        response: answers({ 200: Type.Array(Type.String()) }),
      },
    },
    async ({ params }, reply) => {
      const { bySource } = await store.stats(params.task_id);
      return reply.send(Object.keys(bySource).sort());
    },
  );
  scope.get(
    '/:task_id/logs/histogram',
    {
      schema: {
        tags: ['lines'],
        summary: 'Count lines by time and level',
        params: TaskParams,
        querystring: HistogramQuery,
        response: answers({ 200: Histogram }),
      },
    },
    async ({ params, query }, reply) => {
      const { buckets = 60 } = query;
      return reply.send(histogramToWire(await store.histogram(params.task_id, { filter: readFilter(query), buckets })));
    },
  );
};

function answerQuery(query: Static<typeof LogQuery>): LogAnswerQuery {
  const { offset = 0, limit = PAGE_LINES, after, before, order = 'asc', count = 'auto' } = query;
  const window = { ...(after !== undefined && { after }), ...(before !== undefined && { before }) };
  return { filter: readFilter(query), offset, limit, order, count, ...window };
}

/** The answer as JSON: pages of lines leave as they came from the store. */
async function* answerText(
  store: StoreReader,
  taskId: string,
  { query, marked }: { query: LogAnswerQuery; marked: boolean },
): AsyncGenerator<string | Uint8Array> {
  const lines = logAnswer(store, taskId, query);
  let glue = `{"task_id":"${taskId}","logs":[`;
  while (true) {
    const { value, done } = await lines.next();
    if (done) {
      const { total, totalExact, hasMore, lastSeq, scannedTo } = value;
      const head = glue === ',' ? '' : glue;
      yield `${head}],"offset":${query.offset},"limit":${query.limit},"total":${total},"total_exact":${totalExact},` +
        `"has_more":${hasMore},"last_seq":${lastSeq}${scannedTo === undefined ? '' : `,"scanned_to":${scannedTo}`}}`;
      return;
    }
    if (value.count === 0) continue;
    yield glue;
    yield marked ? markedJson(value).slice(1, -1) : value.bytes.subarray(1, -1);
    glue = ',';
  }
}
