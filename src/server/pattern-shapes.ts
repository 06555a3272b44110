import { type TSchema, Type } from 'typebox';
import { LEVELS } from '../core/level.ts';
import { PATTERN_SOURCES, PATTERNS, PATTERNS_MAX } from '../core/limits.ts';
import { STATUSES } from '../core/status.ts';
import { SearchFacetsQuery, TaskLineFacetsQuery } from './search-shapes.ts';

/* The shapes of patterns and of what is compared by them. */

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const time = Type.String({ format: 'date-time' });
const count = Type.Integer({ minimum: 0 });
const limit = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: PATTERNS_MAX, default: PATTERNS, description: 'Patterns of each list' }),
  ),
};

export const PatternsQuery = Type.Object({ ...SearchFacetsQuery.properties, ...limit });
export const TaskPatternsQuery = Type.Object({ ...TaskLineFacetsQuery.properties, ...limit });
export const CompareQuery = Type.Object({
  ...TaskPatternsQuery.properties,
  with: Type.Optional(
    Type.String({
      description:
        'The base, for one the last good run. Left out: the newest completed task before this one of the same kind, runner, ' +
        'agent and, if there is one, title',
    }),
  ),
});

const template = Type.String({ description: 'The line with <n>, <id>, <path> … for what varies' });
const sources = Type.Array(Type.String(), { maxItems: PATTERN_SOURCES });
const sample = Type.Object(
  { task_id: Type.String(), seq: Type.Integer({ minimum: 1 }), message: Type.String() },
  { description: 'The newest such line; of a long message the start' },
);

export const Patterns = Type.Object({
  patterns: Type.Array(
    Type.Object({
      template,
      count,
      by_level: Type.Object(Object.fromEntries(LEVELS.map((level) => [level, count]))),
      sources,
      first_at: time,
      last_at: time,
      tasks: Type.Integer({ minimum: 1, description: 'How many tasks have such a line' }),
      sample,
    }),
  ),
  total: Type.Integer({ minimum: 0, description: 'Lines that match' }),
  other: Type.Integer({ minimum: 0, description: 'Lines whose pattern is not listed' }),
  exact: Type.Boolean({ description: 'false: the time was up, there are at least so many' }),
  scanned_from: orNull(Type.String({ description: 'Every line from this moment on was looked at; null: all were' })),
});

const ComparedTask = Type.Object({
  task_id: Type.String(),
  title: orNull(Type.String()),
  status: Type.Enum([...STATUSES]),
  created_at: time,
  lines: Type.Integer({ minimum: 0, description: 'Lines that match' }),
});
const Compared = Type.Array(
  Type.Object({
    template,
    level: Type.Enum([...LEVELS], { description: 'The gravest level that its lines have' }),
    count,
    base_count: count,
    ratio: orNull(
      Type.Number({ description: 'Share here / share in the base, among the lines whose pattern both have' }),
    ),
    sources,
    sample,
  }),
);

export const Comparison = Type.Object({
  task: ComparedTask,
  base: ComparedTask,
  new: Compared,
  gone: Compared,
  changed: Compared,
  totals: Type.Object({ new: count, gone: count, changed: count, same: count }),
  exact: Type.Boolean({ description: 'false: not every line was looked at, or not every pattern told apart' }),
});
