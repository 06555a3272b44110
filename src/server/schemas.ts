import { type TSchema, Type } from 'typebox';
import { ENTRY_TYPES, STREAMS } from '../core/entry.ts';
import { LEVELS } from '../core/level.ts';
import { PAGE_LINES, PAGE_LINES_MAX, PAGE_TASKS, PAGE_TASKS_MAX, TAGS, TEXT_CHARS } from '../core/limits.ts';
import { TASK_SORTS } from '../core/query.ts';
import { STATUSES } from '../core/status.ts';
import { PROBLEM_TYPE } from './problem.ts';

/*
 * The shapes of the wire, once: they check what comes in and make the OpenAPI document. What goes out is held to them by
 * test/server/openapi.test.ts.
 */

const text = Type.String({ maxLength: TEXT_CHARS });
const time = Type.String({ format: 'date-time' });
const object = Type.Object({}, { additionalProperties: true });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const list = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));
const counts = Type.Record(Type.String(), Type.Integer({ minimum: 0 }));
const byLevel = Type.Object(Object.fromEntries(LEVELS.map((level) => [level, Type.Integer({ minimum: 0 })])));
const figure = orNull(Type.Number({ minimum: 0 }));
const seq = Type.Integer({ minimum: 0 });

export const Metrics = Type.Object({
  cost_usd: figure,
  input_tokens: figure,
  output_tokens: figure,
  cache_read_tokens: figure,
  cache_creation_tokens: figure,
  duration_seconds: figure,
  num_turns: figure,
});

export const Task = Type.Object({
  task_id: Type.String(),
  kind: orNull(Type.String()),
  title: orNull(Type.String()),
  status: Type.Enum([...STATUSES]),
  ended: Type.Boolean(),
  source: Type.String(),
  provider: orNull(Type.String()),
  assigned_agent: orNull(Type.String()),
  agent_type: orNull(Type.String()),
  model: orNull(Type.String()),
  user_id: orNull(Type.String()),
  machine_id: orNull(Type.String()),
  owner: orNull(Type.String()),
  runner: orNull(Type.String({ description: '`plugin:<id>` or `agent:<name>` when it runs here' })),
  priority: Type.Integer({ description: 'Greater goes first in the queue' }),
  tags: Type.Array(Type.String()),
  pinned: Type.Boolean(),
  created_at: time,
  started_at: orNull(time),
  completed_at: orNull(time),
  updated_at: time,
  params: orNull(object),
  input: orNull(Type.Object({ message: Type.String(), source_metadata: Type.Optional(object) })),
  metadata: orNull(object),
  metrics: Metrics,
  result: Type.Unknown({ description: 'Any JSON' }),
  error: orNull(Type.String()),
  exit_code: orNull(Type.Integer()),
  log: Type.Object({
    total: seq,
    last_seq: seq,
    lost: Type.Integer({ minimum: 0 }),
    by_level: byLevel,
    last_line: orNull(Type.String()),
  }),
});

export const Entry = Type.Object({
  id: Type.String({ description: '<task_id>:<seq>' }),
  seq: Type.Integer({ minimum: 1 }),
  task_id: Type.String(),
  timestamp: time,
  level: Type.Enum([...LEVELS]),
  source: Type.String(),
  stream: orNull(Type.Enum([...STREAMS])),
  type: Type.Enum([...ENTRY_TYPES]),
  message: Type.String(),
  metadata: orNull(object),
});

export const LogPage = Type.Object({
  task_id: Type.String(),
  logs: Type.Array(Entry),
  offset: Type.Integer(),
  limit: Type.Integer(),
  total: Type.Integer({ description: 'Lines that the filters match; at least so many when total_exact is false' }),
  total_exact: Type.Boolean(),
  has_more: Type.Boolean(),
  last_seq: Type.Integer({ description: "The task's highest seq when this was read; follow with after=last_seq" }),
  scanned_to: Type.Optional(
    Type.Integer({ description: 'Only when the time was up: go on with after=scanned_to, or before= in order desc' }),
  ),
});

export const Receipt = Type.Object({
  accepted: Type.Integer(),
  filtered: Type.Integer({ description: 'Lines below the task log level' }),
  first_seq: orNull(Type.Integer()),
  last_seq: orNull(Type.Integer()),
});

export const Stats = Type.Object({
  total: Type.Integer(),
  by_level: byLevel,
  by_source: counts,
  by_stream: counts,
  by_type: counts,
  first_timestamp: orNull(time),
  last_timestamp: orNull(time),
  lost: Type.Integer(),
});

export const Histogram = Type.Object({
  from: orNull(time),
  to: orNull(time),
  width_ms: Type.Number(),
  exact: Type.Boolean(),
  buckets: Type.Array(Type.Object({ timestamp: time, total: Type.Integer(), by_level: byLevel })),
});

export const TaskPage = Type.Object({
  tasks: Type.Array(Task),
  total: Type.Integer(),
  total_exact: Type.Boolean(),
  next_cursor: orNull(Type.String()),
});

export const Facets = Type.Object({ status: counts, source: counts, kind: counts, agent: counts, tag: counts });

export const StatusAnswer = Type.Object({
  task_id: Type.String(),
  status: Type.Enum([...STATUSES]),
  ended: Type.Boolean(),
  metadata: Type.Object({
    status: Type.Enum([...STATUSES]),
    updated_at: time,
    plan: Type.Unknown({ description: 'null until it is made' }),
    queue: Type.Unknown({ description: 'null if never queued' }),
  }),
});

export const ProblemAnswer = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String({ description: 'See docs/errors.md' }),
  request_id: Type.String(),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        path: Type.String(),
        detail: Type.String(),
        column: Type.Optional(Type.Integer({ description: 'Where in a text, from 1 on' })),
        length: Type.Optional(Type.Integer()),
      }),
    ),
  ),
});

/** What a caller may say of a new task. Limits and times are checked by intake, which every way in shares. */
export const NewTask = Type.Object(
  {
    task_id: Type.Optional(Type.Unknown({ description: 'Made as task-<ULID> when absent' })),
    kind: Type.Optional(orNull(text)),
    title: Type.Optional(orNull(text)),
    status: Type.Optional(Type.Unknown({ description: `${STATUSES.join(', ')}; in any case` })),
    source: Type.Optional(text),
    provider: Type.Optional(orNull(text)),
    assigned_agent: Type.Optional(orNull(text)),
    agent_type: Type.Optional(orNull(text)),
    model: Type.Optional(orNull(text)),
    user_id: Type.Optional(orNull(text)),
    machine_id: Type.Optional(orNull(text)),
    owner: Type.Optional(orNull(text)),
    tags: Type.Optional(Type.Array(text, { maxItems: TAGS })),
    pinned: Type.Optional(Type.Boolean()),
    created_at: Type.Optional(Type.Union([Type.String(), Type.Number()])),
    started_at: Type.Optional(orNull(Type.Union([Type.String(), Type.Number()]))),
    completed_at: Type.Optional(orNull(Type.Union([Type.String(), Type.Number()]))),
    params: Type.Optional(orNull(object)),
    input: Type.Optional(Type.Unknown({ description: '{message, source_metadata?}, or the message as a text' })),
    metadata: Type.Optional(orNull(object)),
    metrics: Type.Optional(Type.Partial(Metrics)),
    result: Type.Optional(Type.Unknown()),
    error: Type.Optional(orNull(Type.String())),
    exit_code: Type.Optional(orNull(Type.Integer())),
    plugin: Type.Optional(Type.String({ description: 'Run this plugin' })),
    agent: Type.Optional(Type.String({ description: 'Run this agent' })),
  },
  { 'x-error': 'invalid_task' },
);

export const TaskPatch = Type.Object(
  {
    title: Type.Optional(orNull(text)),
    tags: Type.Optional(Type.Array(text, { maxItems: TAGS })),
    pinned: Type.Optional(Type.Boolean()),
    owner: Type.Optional(orNull(text)),
  },
  { 'x-error': 'invalid_task' },
);

const taskFilter = {
  status: list('Repeat or use commas'),
  source: list("The task's source or provider"),
  kind: list('Kinds'),
  agent: list('Agents'),
  tag: list('Tags'),
  q: Type.Optional(
    Type.String({
      description:
        'A query (docs/query.md): text in id, title, kind, source or error, and fields like status:failed cost>1',
    }),
  ),
  from: Type.Optional(Type.String({ description: 'Created at or after this time' })),
  to: Type.Optional(Type.String({ description: 'Created before this time' })),
  min_cost: Type.Optional(Type.Number({ minimum: 0 })),
  max_cost: Type.Optional(Type.Number({ minimum: 0 })),
};
export const TaskFacetsQuery = Type.Object(taskFilter);
export const TaskListQuery = Type.Object({
  ...taskFilter,
  sort: Type.Optional(Type.Enum([...TASK_SORTS])),
  order: Type.Optional(Type.Enum(['asc', 'desc'])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_TASKS_MAX, default: PAGE_TASKS })),
  cursor: Type.Optional(Type.String()),
});

const logFilter = {
  level: list('Exact levels; repeat or use commas'),
  min_level: Type.Optional(Type.String({ description: 'This level and those above' })),
  source: list('Sources; repeat or use commas'),
  stream: list(STREAMS.join(', ')),
  type: list(ENTRY_TYPES.join(', ')),
  search: Type.Optional(Type.String({ description: 'Text in the message, in any case' })),
  regex: Type.Optional(Type.Boolean({ description: 'search is a pattern in RE2 syntax' })),
  from: Type.Optional(Type.String({ description: 'From this time on, inclusive' })),
  to: Type.Optional(Type.String({ description: 'Up to this time, exclusive' })),
  q: Type.Optional(
    Type.String({ description: 'A query (docs/query.md), like level>=warning "connection refused" -retry' }),
  ),
};
export const LogFilterQuery = Type.Object(logFilter);
/** What a follower may ask, over HTTP and over WebSocket. */
export const FollowQuery = Type.Object({
  ...logFilter,
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only lines with a greater seq' })),
  tail: Type.Optional(Type.Integer({ minimum: 0, description: 'Start with the last N lines' })),
});
export const LogQuery = Type.Object({
  ...FollowQuery.properties,
  before: Type.Optional(Type.Integer({ minimum: 0, description: 'Only lines with a smaller seq' })),
  offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
  limit: Type.Optional(
    Type.Integer({ minimum: -1, maximum: PAGE_LINES_MAX, default: PAGE_LINES, description: '-1: all, streamed' }),
  ),
  order: Type.Optional(Type.Enum(['asc', 'desc'])),
  count: Type.Optional(Type.Enum(['auto', 'exact', 'none'])),
  follow: Type.Optional(Type.Boolean({ description: 'Stream what is stored and then what comes' })),
});
export const HistogramQuery = Type.Object({
  ...logFilter,
  buckets: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 60 })),
});
export const DownloadQuery = Type.Object({
  ...logFilter,
  format: Type.Optional(Type.Enum(['text', 'jsonl', 'csv'])),
  ansi: Type.Optional(Type.Enum(['keep', 'strip'], { description: 'strip: a text without colours', default: 'keep' })),
  gzip: Type.Optional(Type.Boolean({ description: 'Compressed, as a .gz file', default: false })),
});

export const TaskParams = Type.Object({ task_id: Type.String({ description: 'Id of the task' }) });

/** The failures that any route may answer, for the OpenAPI document. */
export function answers(good: Record<string | number, TSchema>, description = 'Done'): Record<string, TSchema> {
  const problem: object = { content: { [PROBLEM_TYPE]: { schema: ProblemAnswer } } };
  return {
    ...Object.fromEntries(Object.entries(good).map(([status, schema]) => [status, { description, ...schema }])),
    default: { description: 'A problem (RFC 9457)', ...problem },
  };
}
