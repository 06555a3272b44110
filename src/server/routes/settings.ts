import { Type } from 'typebox';
import { changedFields } from '../../core/audit.ts';
import { LEVELS } from '../../core/level.ts';
import { type Logging, parseLoggingChange } from '../../core/logging.ts';
import { toSnake } from '../../core/wire.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const LoggingAnswer = Type.Object({
  level: Type.Enum([...LEVELS], { description: "Lowest level of the server's own lines" }),
  task_log_level: Type.Enum([...LEVELS], { description: "Lowest level that is kept of tasks' lines of type `log`" }),
  enable_belief_state: Type.Boolean({ description: 'Whether `beliefScope` writes' }),
});
/** Levels in any case, so they are read by the parser of levels, which names what is wrong. */
const LoggingPatch = Type.Object({
  level: Type.Optional(Type.Unknown({ description: `${LEVELS.join(', ')}; null returns to the environment's` })),
  task_log_level: Type.Optional(
    Type.Unknown({ description: `${LEVELS.join(', ')}; null returns to the environment's` }),
  ),
  enable_belief_state: Type.Optional(Type.Unknown({ description: 'true, false; null returns to true' })),
});

/** What is logged, changed while the server runs. */
export const settingsRoutes: Routes = (scope, { logging }) => {
  const url = '/api/settings/logging';
  scope.get(
    url,
    {
      schema: { tags: ['settings'], summary: 'Read what is logged', response: answers({ 200: LoggingAnswer }) },
    },
    async (_request, reply) => reply.send(toSnake<Logging>(logging.current)),
  );
  scope.patch(
    url,
    {
      config: { role: 'admin', audit: 'setting.change' },
      schema: {
        tags: ['settings'],
        summary: 'Change what is logged, at once and durably',
        body: LoggingPatch,
        response: answers({ 200: LoggingAnswer }),
      },
    },
    async (request, reply) => {
      const before = toSnake<Logging>(logging.current);
      const after = toSnake<Logging>(await logging.change(parseLoggingChange(request.body)));
      request.audited = { id: 'logging', details: changedFields(before, after) };
      return reply.send(after);
    },
  );
};
