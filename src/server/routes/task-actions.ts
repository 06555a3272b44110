import type { FastifyContextConfig } from 'fastify';
import { type TObject, Type } from 'typebox';
import { isVanished } from '../../core/change.ts';
import type { Json } from '../../core/entry.ts';
import { LINE_BYTES, TEXT_CHARS } from '../../core/limits.ts';
import type { Status } from '../../core/status.ts';
import type { Metrics as MetricFields, TaskChange, Task as TaskFields } from '../../core/task.ts';
import { taskToWire, toCamel } from '../../core/wire.ts';
import { answerTask } from '../../intake/answer.ts';
import { emptyBodyAllowed } from '../bodies.ts';
import type { Routes, Scope } from '../context.ts';
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

/** Moves that say no more than the status they lead to. */
const MOVES: Readonly<Record<string, Status>> = { cancel: 'cancelled', approve: 'approved' };
const Rejection = Type.Object({
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: TEXT_CHARS, description: "Becomes the task's error" })),
});

/** What a program says of its own task, which is the task's to tell. */
const REPORTED = { audit: { none: 'what a program reports of its task stands in the task' } } as const;

type Act = (taskId: string, body: Record<string, unknown>, name: string | null) => Promise<TaskFields>;

/** What is done to a task: each answers the task as it is then. */
export const taskActionRoutes: Routes = (scope, context) => {
  const { store, intake, tasks } = context;
  for (const [name, status] of Object.entries(MOVES)) {
    action(scope, { name, body: Nothing, act: (taskId) => intake.changeTask(taskId, { status }) });
  }
  action(scope, {
    name: 'reject',
    body: Rejection,
    act: (taskId, { reason }) =>
      intake.changeTask(taskId, { status: 'rejected', ...(reason !== undefined && { error: String(reason) }) }),
  });
  // What runs here knows whether it can pause, and goes on where it stood. A reporter's ended task is reopened by `resume`.
  action(scope, { name: 'pause', body: Nothing, act: (taskId) => tasks.pause(taskId) });
  action(scope, { name: 'resume', body: Nothing, act: (taskId) => tasks.resume(taskId) });
  action(scope, { name: 'rerun', body: Nothing, act: (taskId, _body, name) => tasks.rerun(taskId, name ?? undefined) });
  action(scope, {
    name: 'complete',
    config: REPORTED,
    body: Completion,
    act: (taskId, body) => intake.changeTask(taskId, { ...endingOf(body), status: 'completed' }),
  });
  action(scope, {
    name: 'fail',
    config: REPORTED,
    body: Failure,
    act: (taskId, body) => intake.changeTask(taskId, { ...endingOf(body), status: 'failed' }),
  });
  action(scope, {
    name: 'input',
    body: Input,
    act: (taskId, { message, question_type: questionType }, userId) =>
      answerTask(context, taskId, {
        message: String(message),
        questionType: questionType as string | undefined,
        userId,
      }),
  });
  action(scope, {
    name: 'heartbeat',
    config: REPORTED,
    body: Nothing,
    act: async (taskId) => {
      const task = await store.task(taskId);
      // One whose reporter was thought gone is opened again.
      return task.ended && !isVanished(task) ? task : intake.changeTask(taskId, {});
    },
  });
};

interface Action {
  readonly name: string;
  readonly body: TObject;
  readonly act: Act;
  readonly config?: FastifyContextConfig;
}

function action(scope: Scope, { name, body, act, config = { audit: `task.${name}` } }: Action): void {
  scope.post(
    `/:task_id/${name}`,
    {
      config,
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
      const { task_id: taskId } = request.params;
      const task = await act(taskId, request.body, request.caller?.name ?? null);
      if (task.taskId !== taskId) request.audited = { details: { new_task: task.taskId } };
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
