import { type Static, Type } from 'typebox';
import { RETENTION_EXAMPLES, RETENTION_STEPS } from '../../core/limits.ts';
import type { Prunable } from '../../core/query.ts';
import { toSnake } from '../../core/wire.ts';
import { pruneStep, rulesOf } from '../../intake/prune.ts';
import type { Context, Routes } from '../context.ts';
import { answers } from '../schemas.ts';

export const PrunableTask = Type.Object({
  task_id: Type.String(),
  title: Type.Union([Type.String(), Type.Null()]),
  ended_at: Type.String({ format: 'date-time' }),
  lines: Type.Integer({ minimum: 0 }),
  bytes: Type.Integer({ description: 'About what it takes up' }),
  rule: Type.Enum(['retention', 'disk limit']),
});
const Query = Type.Object({
  older_than_days: Type.Optional(Type.Integer({ minimum: 0, maximum: 36_500, description: 'Instead of the setting' })),
  max_bytes: Type.Optional(
    Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Instead of the setting' }),
  ),
});
const count = Type.Integer({ minimum: 0 });
const Preview = Type.Object({
  tasks: count,
  lines: count,
  bytes: Type.Integer({ minimum: 0, description: 'About what they take up' }),
  by_rule: Type.Object({ retention: count, 'disk limit': count }, { description: 'Tasks' }),
  oldest: Type.Array(PrunableTask, { description: 'Those that would go first' }),
  complete: Type.Boolean({ description: 'false: there are more' }),
  older_than_days: Type.Union([Type.Integer(), Type.Null()], { description: 'The rules that were tried' }),
  max_bytes: Type.Union([Type.Integer(), Type.Null()]),
});

/** What would go, by rules that are or that might be. Nothing does. */
export const retentionRoutes: Routes = (scope, context) => {
  scope.get(
    '/api/storage/retention',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['storage'],
        summary: 'Say what would be deleted now, by the settings or by rules to try',
        querystring: Query,
        response: answers({ 200: Preview }),
      },
    },
    async ({ query }, reply) => reply.header('cache-control', 'no-store').send(await preview(context, query)),
  );
};

async function preview({ store, intake, clock, settings }: Context, asked: Static<typeof Query>) {
  const { retentionDays = 0, maxBytes = 0 } = settings;
  const rules = {
    ...rulesOf({ retentionDays, maxBytes }),
    ...(asked.older_than_days !== undefined && { olderThanDays: asked.older_than_days }),
    ...(asked.max_bytes !== undefined && { maxBytes: asked.max_bytes }),
  };
  const nowMs = clock.now();
  const sums = { tasks: 0, lines: 0, bytes: 0, by_rule: { retention: 0, 'disk limit': 0 } };
  const oldest: Prunable[] = [];
  let cursor: string | undefined;
  for (let steps = 0; steps < RETENTION_STEPS && (steps === 0 || cursor !== undefined); steps++) {
    const { tasks, nextCursor } = await pruneStep({ store, intake }, { rules, dryRun: true, nowMs, cursor });
    for (const task of tasks) {
      sums.tasks++;
      sums.lines += task.lines;
      sums.bytes += task.bytes;
      sums.by_rule[task.rule]++;
      if (oldest.length < RETENTION_EXAMPLES) oldest.push(task);
    }
    cursor = nextCursor ?? undefined;
  }
  return {
    ...sums,
    oldest: oldest.map((task) => toSnake(task)),
    complete: cursor === undefined,
    older_than_days: rules.olderThanDays ?? null,
    max_bytes: rules.maxBytes ?? null,
  };
}
