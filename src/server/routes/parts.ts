import { type TSchema, Type } from 'typebox';
import { ENTRY_TYPES, type JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import type { StoreReader } from '../../core/ports.ts';
import { STATUSES } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';
import {
  FILES,
  type FlowName,
  finalResultFile,
  flowLine,
  flowOf,
  inputFile,
  metadataFile,
} from '../../core/task-files.ts';
import { pages } from '../../query/page.ts';
import type { Routes } from '../context.ts';
import { answers, Metrics, TaskParams } from '../schemas.ts';
import { sendText } from '../stream.ts';

const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json; charset=utf-8';

/** A task as it was when the request came, and where its lines are. Lines that come later are not in the answer. */
interface Source {
  readonly store: StoreReader;
  readonly task: Task;
}

/** JSON text, made while it is taken; nothing at all when the task has no such part. */
type Texts = AsyncGenerator<string>;

interface Part {
  readonly path: string;
  readonly summary: string;
  readonly schema: TSchema;
  json(source: Source): Texts;
  /** One line of JSON for each, where the part is a flow. */
  ndjson?(source: Source): Texts;
}

const text = Type.String();
const textOrNull = Type.Union([text, Type.Null()]);
const open = { additionalProperties: true };
const Line = { timestamp: text, seq: Type.Integer({ minimum: 1 }) };
const Metadata = Type.Object(
  {
    task_id: text,
    source: text,
    provider: textOrNull,
    created_at: text,
    started_at: textOrNull,
    completed_at: textOrNull,
    status: Type.Enum(['running', ...STATUSES], { description: '`executing` reads `running` here' }),
    assigned_agent: textOrNull,
    agent_type: textOrNull,
    model: textOrNull,
    user_id: textOrNull,
    machine_id: textOrNull,
  },
  open,
);
const Input = Type.Object({ message: text, source_metadata: Type.Optional(Type.Object({}, open)) });
const WebhookFlow = Type.Array(Type.Object({ ...Line, stage: Type.Unknown() }, open));
const AgentOutput = Type.Array(
  Type.Object({ ...Line, type: text, level: text, source: text, stream: textOrNull, content: text }, open),
);
const UserInputs = Type.Array(Type.Object({ ...Line, type: text, question_type: text, content: text }, open));
const FinalResult = Type.Object({
  success: Type.Boolean(),
  status: Type.Enum([...STATUSES]),
  result: Type.Unknown({ description: 'Any JSON' }),
  error: textOrNull,
  exit_code: Type.Union([Type.Integer(), Type.Null()]),
  metrics: Metrics,
  completed_at: textOrNull,
});

/** In the order of the directory, and of `full`. */
const PARTS: readonly Part[] = [
  document('metadata', 'Read what is known of a task', { schema: Metadata, make: metadataFile }),
  document('input', 'Read what the task was asked', { schema: Input, make: inputFile }),
  flow('webhook-flow', 'Read how its webhook was handled', { schema: WebhookFlow, file: FILES.webhookFlow }),
  flow('agent-output', 'Read what it put out', { schema: AgentOutput, file: FILES.agentOutput }),
  flow('user-inputs', 'Read what people answered it', { schema: UserInputs, file: FILES.userInputs }),
  document('final-result', 'Read how it ended', { schema: FinalResult, make: finalResultFile }),
];
const Full = Type.Object(
  Object.fromEntries(
    PARTS.map(({ path, schema }) => [keyOf(path), path === 'metadata' ? schema : Type.Optional(schema)]),
  ),
);

/** The parts of a task as its directory holds them, always answered from the store. */
export const partRoutes: Routes = (scope, { store }) => {
  for (const { path, summary, schema, json, ndjson } of PARTS) {
    scope.get(
      `/:task_id/logs/${path}`,
      {
        schema: {
          tags: ['parts'],
          summary,
          params: TaskParams,
          response: answers({ 200: schema }),
          ...(ndjson && { description: `NDJSON for Accept: ${NDJSON}.` }),
        },
      },
      async ({ params: { task_id: taskId }, headers }, reply) => {
        const task = await store.task(taskId);
        const asLines = headers.accept?.includes(NDJSON) ? ndjson : undefined;
        reply.type(asLines ? `${NDJSON}; charset=utf-8` : JSON_TYPE);
        return sendText(reply, expected((asLines ?? json)({ store, task }), path));
      },
    );
  }
  scope.get(
    '/:task_id/logs/full',
    {
      schema: {
        tags: ['parts'],
        summary: 'Read all parts of a task',
        description: 'Parts that the task does not have are left out.',
        params: TaskParams,
        response: answers({ 200: Full }),
      },
    },
    async ({ params: { task_id: taskId } }, reply) => {
      const task = await store.task(taskId);
      return sendText(reply.type(JSON_TYPE), fullText({ store, task }));
    },
  );
};

function document(
  path: string,
  summary: string,
  { schema, make }: { schema: TSchema; make: (task: Task) => JsonObject | null },
): Part {
  async function* json({ task }: Source): Texts {
    const made = make(task);
    if (made !== null) yield JSON.stringify(made);
  }
  return { path, summary, schema, json };
}

function flow(path: string, summary: string, { schema, file }: { schema: TSchema; file: FlowName }): Part {
  const types = ENTRY_TYPES.filter((type) => flowOf(type) === file);
  async function* lines({ store, task }: Source): AsyncGenerator<readonly string[]> {
    const walk = { filter: { types }, before: task.log.lastSeq + 1 };
    for await (const page of pages(store, task.taskId, walk)) {
      if (page.count > 0) yield page.entries.map((entry) => JSON.stringify(flowLine(entry).line));
    }
  }
  async function* json(source: Source): Texts {
    let glue = '[';
    for await (const page of lines(source)) {
      yield `${glue}${page.join(',')}`;
      glue = ',';
    }
    if (glue === ',') yield ']';
  }
  async function* ndjson(source: Source): Texts {
    for await (const page of lines(source)) yield `${page.join('\n')}\n`;
  }
  return { path, summary, schema, json, ndjson };
}

/** A part that is asked for alone must be there. */
async function* expected(texts: Texts, path: string): Texts {
  let found = false;
  for await (const piece of texts) {
    found = true;
    yield piece;
  }
  if (!found) throw new TrailError('not_found', `the task has no ${path}, or not yet`);
}

async function* fullText(source: Source): Texts {
  let glue = '{';
  for (const { path, json } of PARTS) {
    let head = `${glue}"${keyOf(path)}":`;
    for await (const piece of json(source)) {
      yield `${head}${piece}`;
      head = '';
      glue = ',';
    }
  }
  yield '}';
}

function keyOf(path: string): string {
  return path.replace('-', '_');
}
