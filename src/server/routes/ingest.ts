import { Type } from 'typebox';
import { STREAMS } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { BODY_BYTES, LINE_BYTES } from '../../core/limits.ts';
import { toSnake } from '../../core/wire.ts';
import { isNdjson, keepBodiesAsBytes } from '../bodies.ts';
import type { Routes } from '../context.ts';
import { answers, Receipt, TaskParams } from '../schemas.ts';

/** Lines on their way in. The bytes go to intake as they came. */
export const ingestRoutes: Routes = (scope, { intake, inflow, counters }) => {
  keepBodiesAsBytes(scope);
  scope.post(
    '/:task_id/logs',
    {
      config: { audit: { none: 'lines are the trail itself' } },
      bodyLimit: BODY_BYTES,
      schema: {
        tags: ['lines'],
        summary: 'Append lines',
        description:
          'One entry, an array, or NDJSON; gzip and zstd by Content-Encoding. Answered after the commit. ' +
          'Idempotency-Key makes a retry harmless.',
        consumes: ['application/json', 'application/x-ndjson'],
        params: TaskParams,
        response: answers({ 200: Receipt }),
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const { task_id: taskId } = request.params;
      const body = bytesOf(request.body);
      const format = isNdjson(request) ? 'ndjson' : 'json';
      const batch = { taskId, body, format, ...(key !== undefined && { key: String(key) }) } as const;
      const receipt = await inflow.hold(taskId, body.byteLength, () => intake.append(batch));
      counters.filtered += receipt.filtered;
      return reply.send(toSnake(receipt));
    },
  );
};

const Partial = Type.Object({
  stream: Type.Enum([...STREAMS]),
  text: Type.String({ maxLength: LINE_BYTES, description: 'Empty takes it back' }),
});

/** An unended line to show to those who watch now. It is masked and never stored. */
export const partialRoutes: Routes = (scope, { store, intake, live }) => {
  scope.post(
    '/:task_id/partial',
    {
      config: { audit: { none: 'it is shown and never stored' } },
      schema: {
        tags: ['lines'],
        summary: 'Show an unended line',
        params: TaskParams,
        body: Partial,
        response: answers({ 204: Type.Null() }),
      },
    },
    async ({ params: { task_id: taskId }, body: { stream, text } }, reply) => {
      await store.task(taskId);
      live.partial(taskId, stream, intake.maskUnended(text.toWellFormed()));
      return reply.code(204).send();
    },
  );
};

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array && body.length > 0) return body;
  throw new TrailError('invalid_request', 'expected an entry, an array of entries or NDJSON, got an empty body');
}
