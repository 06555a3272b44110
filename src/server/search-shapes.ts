import { type TSchema, Type } from 'typebox';
import { LEVELS } from '../core/level.ts';
import {
  CONTEXT_LINES_MAX,
  HIGHLIGHTS,
  PAGE_LINES,
  SEARCH_LINES_MAX,
  SEARCH_MS,
  SEARCH_MS_MAX,
  SEARCH_MS_MIN,
} from '../core/limits.ts';
import { STATUSES } from '../core/status.ts';
import { Entry, LogFilterQuery } from './schemas.ts';

/* The shapes of the search across tasks. */

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });
const counts = Type.Record(Type.String(), Type.Integer({ minimum: 0 }));
const budget = {
  budget_ms: Type.Optional(
    Type.Integer({
      minimum: SEARCH_MS_MIN,
      maximum: SEARCH_MS_MAX,
      default: SEARCH_MS,
      description: 'How long to look; then the answer says how far it came',
    }),
  ),
};
const lines = {
  ...LogFilterQuery.properties,
  q: Type.Optional(Type.String({ description: 'A query, see docs/query.md' })),
};
const scope = {
  ...lines,
  ...budget,
  task: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Only these tasks, one or more; repeat or use commas',
      'x-empty': 'kept',
    }),
  ),
};

export const SearchFacetsQuery = Type.Object(scope);
export const SearchHistogramQuery = Type.Object({
  ...scope,
  buckets: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 60 })),
});
export const SearchQuery = Type.Object({
  ...scope,
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: SEARCH_LINES_MAX,
      default: PAGE_LINES,
      description: 'Lines of a page; of NDJSON lines in all, and left out all of them',
    }),
  ),
  cursor: Type.Optional(Type.String({ description: 'next_cursor of the page before' })),
  context: Type.Optional(
    Type.Integer({ minimum: 0, maximum: CONTEXT_LINES_MAX, default: 0, description: 'Lines before and after each' }),
  ),
  group: Type.Optional(Type.Enum(['task'])),
  facets: Type.Optional(Type.Boolean({ description: 'Count the lines of each kind too, on their own time' })),
});
export const TaskLineFacetsQuery = Type.Object({ ...lines, ...budget });

const Found = Type.Object({
  ...Entry.properties,
  highlights: Type.Array(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 }), {
    maxItems: HIGHLIGHTS,
    description: 'What was asked for in the message: [start, end], in UTF-16 units',
  }),
  context: Type.Optional(Type.Object({ before: Type.Array(Entry), after: Type.Array(Entry) })),
});

export const LineFacets = Type.Object({
  total: Type.Integer(),
  total_exact: Type.Boolean({ description: 'false: the time was up, there are at least so many' }),
  level: Type.Object(Object.fromEntries(LEVELS.map((level) => [level, Type.Integer({ minimum: 0 })]))),
  source: counts,
  stream: counts,
  type: counts,
  tasks: Type.Array(Type.Object({ task_id: Type.String(), title: orNull(Type.String()), lines: Type.Integer() })),
});

const FoundGroup = Type.Object({
  task: Type.Object({
    task_id: Type.String(),
    title: orNull(Type.String()),
    status: Type.Enum([...STATUSES]),
    kind: orNull(Type.String()),
    assigned_agent: orNull(Type.String()),
    created_at: time,
  }),
  logs: Type.Array(Found),
});

export const SearchPage = Type.Object({
  logs: Type.Optional(Type.Array(Found)),
  groups: Type.Optional(Type.Array(FoundGroup, { description: 'With group=task, instead of logs' })),
  next_cursor: orNull(Type.String({ description: 'null: nothing is left' })),
  scanned_from: orNull(Type.String({ description: 'Every line from this moment on was looked at; null: all were' })),
  complete: Type.Boolean({ description: 'false: the time was up; next_cursor goes on from there' }),
  took_ms: Type.Integer(),
  facets: Type.Optional(LineFacets),
});
