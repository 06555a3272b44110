import { Type } from 'typebox';
import { LEVELS } from '../core/level.ts';
import { OUTLINE_MARKS } from '../core/limits.ts';
import { MARK_KINDS } from '../core/outline.ts';

/* The shapes of a task's outline. */

const seq = Type.Integer({ minimum: 0 });

export const OutlineQuery = Type.Object({
  after: Type.Optional(
    Type.Integer({ minimum: 0, default: 0, description: 'Only lines behind this seq: `scanned_to`' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: OUTLINE_MARKS, default: OUTLINE_MARKS })),
});

const Mark = Type.Object({
  seq: Type.Integer({ minimum: 1 }),
  timestamp: Type.String({ format: 'date-time' }),
  kind: Type.Enum([...MARK_KINDS]),
  title: Type.String(),
  level: Type.Enum([...LEVELS]),
  source: Type.String(),
  to: Type.Optional(Type.Integer({ minimum: 1, description: 'errors: the last of them' })),
  count: Type.Optional(Type.Integer({ minimum: 1, description: 'errors: how many' })),
  call_id: Type.Optional(Type.String({ description: 'Which call it makes or answers' })),
  parent_id: Type.Optional(Type.String({ description: "Of which call's sub-agent it comes" })),
  tool: Type.Optional(Type.String()),
  turn: Type.Optional(Type.Number()),
  scope: Type.Optional(Type.String({ description: 'The belief scope that the group is' })),
  duration_ms: Type.Optional(Type.Number({ minimum: 0 })),
});

export const Outline = Type.Object({
  task_id: Type.String(),
  marks: Type.Array(Mark, { description: 'In order of seq' }),
  scanned_to: Type.Integer({
    minimum: 0,
    description: 'Every line up to this one is in the marks; ask again after it',
  }),
  last_seq: seq,
  complete: Type.Boolean({ description: 'false: the time or the room was up before last_seq' }),
});
