import { Type } from 'typebox';
import type { Storage } from '../../core/query.ts';
import { toSnake } from '../../core/wire.ts';
import { pruneStep, retentionDetails, rulesOf } from '../../intake/prune.ts';
import { emptyBodyAllowed } from '../bodies.ts';
import type { Context, Routes } from '../context.ts';
import type { Room } from '../parts.ts';
import { answers } from '../schemas.ts';
import { PrunableTask } from './retention.ts';

const count = Type.Integer({ minimum: 0 });
const time = Type.String({ format: 'date-time' });
const figure = (description: string) => Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description });
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
  compress_after_days: Type.Integer({ description: '0: never' }),
  disk_bytes: figure('The disk that the data lies on'),
  disk_free_bytes: figure('What is left of it for us'),
  wal_bytes: figure('What is committed and not yet in the database file'),
  spool_batches: figure('Batches of `tasktrail run` that wait to be delivered'),
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
  tasks: Type.Array(PrunableTask),
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
      const [storage, { entries, lost }, room] = await Promise.all([store.storage(), store.totals(), roomOf(context)]);
      return reply
        .header('cache-control', 'no-store')
        .send({ ...toSnake<Storage>(storage), entries, lost, ...toSnake<Kept>(configured), ...toSnake<Room>(room) });
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

interface Kept {
  readonly retentionDays: number;
  readonly maxBytes: number;
  readonly compressAfterDays: number;
}

function configuredRules({ settings: { retentionDays = 0, maxBytes = 0, compressAfterDays = 0 } }: Context): Kept {
  return { retentionDays, maxBytes, compressAfterDays };
}

async function roomOf({ room }: Context): Promise<Room> {
  return (await room?.()) ?? { diskBytes: null, diskFreeBytes: null, walBytes: null, spoolBatches: null };
}
