import { type TObject, Type } from 'typebox';
import type { Json } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { LINE_BYTES } from '../../core/limits.ts';
import type { Status } from '../../core/status.ts';
import type { Metrics as MetricFields, TaskChange, Task as TaskFields } from '../../core/task.ts';
import { taskToWire, toCamel } from '../../core/wire.ts';
import { emptyBodyAllowed } from '../bodies.ts';
import type { Context, Routes, Scope } from '../context.ts';
import { answers, Metrics, Task, TaskParams } from '../schemas.ts';

const Nothing = Type.Object({});
const figures = {
  exit_code: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  metrics: Type.Optional(Type.Partial(Metrics)),
};
const Completion = Type.Object({ result: Type.Optional(Type.Unknown()), ...figures });
const Failure = Type.Object({
  error: Type.String({ minLength: 1 }),
  result: Type.Optional(Type.Unknown()),
  ...figures,
});
const Input = Type.Object({
  message: Type.String({ minLength: 1, maxLength: LINE_BYTES }),
  question_type: Type.Optional(Type.String({ maxLength: 100 })),
});

/** Moves that say no more than the status they lead to. A reporter's ended task is reopened by `resume`. */
const MOVES: Readonly<Record<string, Status>> = {
  cancel: 'cancelled',
  pause: 'paused',
  resume: 'executing',
  approve: 'approved',
  reject: 'rejected',
};

type Act = (taskId: string, body: Record<string, unknown>, name: string | null) => Promise<TaskFields>;

/** What is done to a task: each answers the task as it is then. */
export const taskActionRoutes: Routes = (scope, context) => {
  const { store, intake } = context;
  for (const [name, status] of Object.entries(MOVES)) {
    action(scope, { name, body: Nothing, act: (taskId) => intake.changeTask(taskId, { status }) });
  }
  action(scope, {
    name: 'complete',
    body: Completion,
    act: (taskId, body) => intake.changeTask(taskId, { ...endingOf(body), status: 'completed' }),
  });
  action(scope, {
    name: 'fail',
    body: Failure,
    act: (taskId, body) => intake.changeTask(taskId, { ...endingOf(body), status: 'failed' }),
  });
  action(scope, { name: 'input', body: Input, act: inputOf(context) });
  action(scope, {
    name: 'heartbeat',
    body: Nothing,
    act: async (taskId) => {
      const task = await store.task(taskId);
      return task.ended ? task : intake.changeTask(taskId, {});
    },
  });
  action(scope, {
    name: 'rerun',
    body: Nothing,
    act: async (taskId) => {
      await store.task(taskId);
      throw new TrailError('not_rerunnable', 'an outside program reports this task; start it again there');
    },
  });
};

function action(scope: Scope, { name, body, act }: { name: string; body: TObject; act: Act }): void {
  scope.post(
    `/:task_id/${name}`,
    {
      preValidation: emptyBodyAllowed,
      schema: {
        tags: ['task actions'],
        summary: `${name[0]?.toUpperCase()}${name.slice(1)} a task`,
        params: TaskParams,
        body,
        response: answers({ 200: Task }),
      },
    },
    async (request, reply) => {
      const task = await act(request.params.task_id, request.body, request.caller?.name ?? null);
      return reply.send(taskToWire(task));
    },
  );
}

function endingOf(body: Record<string, unknown>): TaskChange {
  const { result, error, exit_code: exitCode, metrics } = body;
  return {
    ...(result !== undefined && { result: result as Json }),
    ...(error !== undefined && { error: error as string }),
    ...(exitCode !== undefined && { exitCode: exitCode as number | null }),
    ...(metrics !== undefined && { metrics: toCamel<Partial<MetricFields>>(metrics as object) }),
  };
}

/** What a person says becomes a line of the trail first; then a task that waited for it goes on. */
function inputOf({ store, intake }: Context): Act {
  return async (taskId, { message, question_type: question }, name) => {
    const task = await store.task(taskId);
    if (task.ended) {
      throw new TrailError('invalid_transition', `a task that is ${task.status} takes no input; resume it first`);
    }
    const metadata = { question_type: question ?? 'clarification', ...(name !== null && { user_id: name }) };
    const line = { message, type: 'user_input', source: 'user', metadata };
    await intake.append({ taskId, body: JSON.stringify(line), format: 'json' });
    return task.status === 'awaiting_input' ? intake.changeTask(taskId, { status: 'executing' }) : store.task(taskId);
  };
}
