import type { Static } from 'typebox';
import { Type } from 'typebox';
import { askedTime } from '../../core/asked-time.ts';
import { changedFields } from '../../core/audit.ts';
import { isSource, type JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { checkTaskId } from '../../core/id.ts';
import { SOURCE_CHARS } from '../../core/limits.ts';
import type { RunDraft } from '../../core/plugin.ts';
import type { TaskQuery } from '../../core/query.ts';
import { parseStatus } from '../../core/status.ts';
import type { Metrics, TaskChange, TaskDraft, Task as TaskFields, TaskInput } from '../../core/task.ts';
import { taskPageToWire, taskToWire, toCamel } from '../../core/wire.ts';
import { askedTasks } from '../../query/filter.ts';
import type { AuditNote } from '../audit.ts';
import { emptyBodyAllowed } from '../bodies.ts';
import type { Routes } from '../context.ts';
import {
  answers,
  Facets,
  NewTask,
  StatusAnswer,
  Task,
  TaskFacetsQuery,
  TaskListQuery,
  TaskPage,
  TaskParams,
  TaskPatch,
} from '../schemas.ts';

/** Tasks: make, list, count, read, change, delete. */
export const taskRoutes: Routes = (scope, context) => {
  makingRoutes(scope, context);
  listRoutes(scope, context);
  readingRoutes(scope, context);
  changingRoutes(scope, context);
};

const makingRoutes: Routes = (scope, { intake, tasks }) => {
  const made = async ({ plugin, agent }: Runner, draft: TaskDraft): Promise<TaskFields> => {
    if (plugin !== undefined && agent !== undefined)
      throw invalidTask('agent', 'expected a plugin or an agent, not both');
    if (plugin === undefined && agent === undefined) return intake.createTask(draft);
    const { params, rest } = runDraft(draft);
    return agent === undefined ? tasks.run(plugin ?? '', params ?? {}, rest) : tasks.runAgent(agent, rest);
  };
  scope.post(
    '',
    {
      config: { audit: 'task.run' },
      preValidation: emptyBodyAllowed,
      schema: {
        tags: ['tasks'],
        summary: 'Report a new task, or run a plugin or agent as one',
        body: NewTask,
        response: answers({ 201: Task }),
      },
    },
    async (request, reply) => {
      const userId = request.body.user_id ?? request.caller?.name ?? undefined;
      const { plugin, agent, ...fields } = request.body;
      const draft: TaskDraft = { ...draftOf(fields), ...(userId !== undefined && { userId }) };
      const task = await made({ plugin, agent }, draft);
      // A task that somebody reports is its own record.
      request.audited = task.runner !== null && noteOfRun(task.taskId, { plugin, agent });
      return reply.code(201).send(taskToWire(task));
    },
  );
};

interface Runner {
  readonly plugin: string | undefined;
  readonly agent: string | undefined;
}

const listRoutes: Routes = (scope, { store }) => {
  scope.get(
    '',
    {
      schema: {
        tags: ['tasks'],
        summary: 'List tasks',
        querystring: TaskListQuery,
        response: answers({ 200: TaskPage }),
      },
    },
    async ({ query }, reply) => {
      const { sort, order, limit, cursor } = query;
      const page = await store.tasks({
        ...taskQueryOf(query),
        ...(sort && { sort }),
        ...(order && { order }),
        ...(limit && { limit }),
        ...(cursor && { cursor }),
      });
      return reply.send(taskPageToWire(page));
    },
  );
  scope.get(
    '/facets',
    {
      schema: {
        tags: ['tasks'],
        summary: 'Count tasks by status, source, kind, agent and tag',
        querystring: TaskFacetsQuery,
        response: answers({ 200: Facets }),
      },
    },
    async ({ query }, reply) => reply.send(await store.taskFacets(taskQueryOf(query))),
  );
};

const readingRoutes: Routes = (scope, { store }) => {
  scope.get(
    '/:task_id',
    { schema: { tags: ['tasks'], summary: 'Read a task', params: TaskParams, response: answers({ 200: Task }) } },
    async ({ params }, reply) => reply.send(taskToWire(await store.task(params.task_id))),
  );
  scope.get(
    '/:task_id/status',
    {
      schema: {
        tags: ['tasks'],
        summary: 'Read how a task stands',
        params: TaskParams,
        response: answers({ 200: StatusAnswer }),
      },
    },
    async ({ params }, reply) => reply.send(statusOf(await store.task(params.task_id))),
  );
};

function noteOfRun(id: string, { plugin, agent }: Runner): AuditNote {
  return agent === undefined
    ? { action: 'plugin.run', id, details: { plugin: plugin ?? null } }
    : { action: 'agent.run', id, details: { agent } };
}

const changingRoutes: Routes = (scope, { store, intake }) => {
  scope.patch(
    '/:task_id',
    {
      config: { audit: 'task.change' },
      schema: {
        tags: ['tasks'],
        summary: 'Change title, tags, pin or owner',
        params: TaskParams,
        body: TaskPatch,
        response: answers({ 200: Task }),
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const before = taskToWire(await store.task(params.task_id));
      const after = taskToWire(await intake.changeTask(params.task_id, body as TaskChange));
      request.audited = { details: changedFields(picked(before, body), picked(after, body)) };
      return reply.send(after);
    },
  );
  scope.delete(
    '/:task_id',
    {
      config: { audit: 'task.delete' },
      schema: {
        tags: ['tasks'],
        summary: 'Delete a task and its lines',
        params: TaskParams,
        querystring: Type.Object({
          force: Type.Optional(Type.Boolean({ description: 'Cancel a running task first' })),
        }),
        response: answers({ 204: Type.Null() }),
      },
    },
    async (request, reply) => {
      const { params, query, caller } = request;
      const { task_id: taskId } = params;
      const task = await store.task(taskId);
      if (!task.ended && !query.force) {
        throw new TrailError('task_running', `the task is ${task.status}; end it first, or delete it with ?force=true`);
      }
      if (!task.ended) await intake.changeTask(taskId, { status: 'cancelled' });
      const { title, status, log } = task;
      const details = { title, status, lines: log.total };
      request.audited = { details, ...(!task.ended && { action: 'task.force_delete' }) };
      await intake.deleteTask(taskId, caller?.name ?? caller?.role ?? 'unknown');
      return reply.code(204).send();
    },
  );
};

/** Those fields of a task that a body names. */
function picked(task: object, body: object): object {
  return Object.fromEntries(Object.entries(task).filter(([name]) => name in body));
}

function statusOf({ taskId, status, ended, updatedAt, metadata }: TaskFields): Static<typeof StatusAnswer> {
  const { plan = null, queue = null } = metadata ?? {};
  return { task_id: taskId, status, ended, metadata: { status, updated_at: updatedAt, plan, queue } };
}

/** What only the run itself can say is not for the caller to say. */
function runDraft(draft: TaskDraft): { params: JsonObject | null | undefined; rest: RunDraft } {
  const { params, status, result, error, exitCode, metrics, startedAt, completedAt, ...rest } = draft;
  const said = Object.entries({ status, result, error, exit_code: exitCode, metrics, startedAt, completedAt });
  const [field] = said.find(([, value]) => value !== undefined) ?? [];
  if (field !== undefined) throw invalidTask(field, 'is told by the run; leave it out together with plugin or agent');
  // Only the receiver says that a delivery started a task: what one started is answered with our tokens.
  const { delivery: _, ...metadata } = rest.metadata ?? {};
  return { params, rest: { ...rest, ...(rest.metadata && { metadata }) } };
}

function draftOf(body: Omit<Static<typeof NewTask>, 'plugin' | 'agent'>): TaskDraft {
  const { task_id: taskId, status, input, metrics, source, ...plain } = body;
  if (source !== undefined && !isSource(source)) {
    throw invalidTask('source', `expected 1–${SOURCE_CHARS} characters without comma or control characters`);
  }
  return {
    ...toCamel<TaskDraft>(plain),
    ...(source !== undefined && { source }),
    ...(taskId !== undefined && { taskId: checkTaskId(taskId) }),
    ...(status !== undefined && { status: parseStatus(status) }),
    ...(input !== undefined && { input: inputOf(input) }),
    ...(metrics !== undefined && { metrics: toCamel<Partial<Metrics>>(metrics) }),
  };
}

/** A text is the message of an input. */
function inputOf(input: unknown): TaskInput | null {
  if (input === null) return null;
  if (typeof input === 'string') return { message: input };
  const { message, source_metadata: metadata = null, ...others } = input as Record<string, unknown>;
  const fine = typeof message === 'string' && typeof metadata === 'object' && !Array.isArray(metadata);
  if (!fine || Object.keys(others).length > 0) {
    throw invalidTask('input', 'expected a text or {message, source_metadata?}');
  }
  return { message, ...(metadata && { sourceMetadata: metadata as NonNullable<TaskInput['sourceMetadata']> }) };
}

function invalidTask(path: string, detail: string): TrailError {
  return new TrailError('invalid_task', `${path}: ${detail}`, { errors: [{ path, detail }] });
}

function taskQueryOf(query: Static<typeof TaskFacetsQuery>): TaskQuery {
  const { q = '', from, to, min_cost: minCost, max_cost: maxCost } = query;
  const [status, source, kind, agent, tag] = [query.status, query.source, query.kind, query.agent, query.tag].map(
    listOf,
  );
  return askedTasks({
    q,
    ...(status && { status: status.map(parseStatus) }),
    ...(source && { source }),
    ...(kind && { kind }),
    ...(agent && { agent }),
    ...(tag && { tag }),
    ...(from !== undefined && { from: askedTime('from', from) }),
    ...(to !== undefined && { to: askedTime('to', to) }),
    ...(minCost !== undefined && { minCost }),
    ...(maxCost !== undefined && { maxCost }),
  });
}

function listOf(values: readonly string[] | undefined): readonly string[] | undefined {
  const parts = values?.flatMap((value) => value.split(',')).map((part) => part.trim());
  const named = parts?.filter((part) => part !== '');
  return named?.length ? named : undefined;
}
