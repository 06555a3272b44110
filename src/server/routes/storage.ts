import { Type } from 'typebox';
import { toSnake } from '../../core/wire.ts';
import { pruneStep, retentionDetails, rulesOf } from '../../intake/prune.ts';
import { emptyBodyAllowed } from '../bodies.ts';
import type { Context, Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const count = Type.Integer({ minimum: 0 });
const time = Type.String({ format: 'date-time' });
const StorageAnswer = Type.Object({
  bytes: Type.Integer({ description: 'Room that the store takes, without what is deleted and free' }),
  file_bytes: Type.Integer({ description: 'Files in the directories of tasks' }),
  deleting_bytes: Type.Integer({ description: 'Room of deleted tasks that is being cleared' }),
  free_bytes: Type.Integer({ description: 'Free room in the file, for lines to come' }),
  tasks: count,
  entries: Type.Integer({ description: 'Lines that were ever stored' }),
  lost: Type.Integer({ description: 'Lines that could not be kept' }),
  oldest_task_at: Type.Union([time, Type.Null()]),
  retention_days: Type.Integer({ description: '0: kept for good' }),
  max_bytes: Type.Integer({ description: '0: no limit' }),
});
const PruneBody = Type.Object({
  dry_run: Type.Optional(Type.Boolean({ default: false, description: 'Only say what would go' })),
  older_than_days: Type.Optional(Type.Integer({ minimum: 0, maximum: 36_500, description: 'Instead of the setting' })),
  max_bytes: Type.Optional(
    Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Instead of the setting' }),
  ),
  cursor: Type.Optional(Type.String({ description: 'next_cursor of the answer before' })),
});
const PruneAnswer = Type.Object({
  dry_run: Type.Boolean(),
  tasks: Type.Array(
    Type.Object({
      task_id: Type.String(),
      title: Type.Union([Type.String(), Type.Null()]),
      ended_at: time,
      lines: count,
      bytes: Type.Integer({ description: 'About what it takes up' }),
      rule: Type.Enum(['retention', 'disk limit']),
    }),
  ),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'null: no more is to go' }),
});

/** How much room the tasks take, and deleting what is too old or too much. */
export const storageRoutes: Routes = (scope, context) => {
  const { store, intake, clock } = context;
  const configured = configuredRules(context);
  scope.get(
    '/api/storage',
    {
      schema: {
        tags: ['storage'],
        summary: 'How much is stored and how long it is kept',
        response: answers({ 200: StorageAnswer }),
      },
    },
    async (_request, reply) => {
      const [{ bytes, fileBytes, deletingBytes, freeBytes, tasks, oldestTaskAt }, { entries, lost }] =
        await Promise.all([store.storage(), store.totals()]);
      return reply.header('cache-control', 'no-store').send({
        ...{ bytes, file_bytes: fileBytes, deleting_bytes: deletingBytes, free_bytes: freeBytes, tasks, entries, lost },
        oldest_task_at: oldestTaskAt,
        retention_days: configured.retentionDays,
        max_bytes: configured.maxBytes,
      });
    },
  );
  scope.post(
    '/api/storage/prune',
    {
      config: { role: 'admin', audit: 'retention.delete' },
      preValidation: emptyBodyAllowed,
      schema: {
        tags: ['storage'],
        summary: 'Delete ended, unpinned tasks that are too old or too much, step by step',
        body: PruneBody,
        response: answers({ 200: PruneAnswer }),
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { dry_run: dryRun = false, older_than_days: olderThanDays, max_bytes: maxBytes, cursor } = body;
      const rules = {
        ...rulesOf(configured),
        ...(olderThanDays !== undefined && { olderThanDays }),
        ...(maxBytes !== undefined && { maxBytes }),
      };
      const pruned = await pruneStep({ store, intake }, { rules, dryRun, nowMs: clock.now(), cursor });
      const gone = dryRun ? 0 : pruned.tasks.length;
      request.audited = gone > 0 && { details: retentionDetails(gone, rules) };
      return reply.send({
        dry_run: dryRun,
        tasks: pruned.tasks.map((task) => toSnake(task)),
        next_cursor: pruned.nextCursor,
      });
    },
  );
};

function configuredRules({ settings: { retentionDays = 0, maxBytes = 0 } }: Context) {
  return { retentionDays, maxBytes };
}
