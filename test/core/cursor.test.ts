import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newTask } from '../../src/core/change.ts';
import { decodeCursor, encodeCursor, sortValue, type TaskCursor } from '../../src/core/cursor.ts';
import { TASK_SORTS } from '../../src/core/query.ts';

const NUMBERS = ['duration', 'lines', 'errors', 'cost'];
const cursors: fc.Arbitrary<TaskCursor> = fc.constantFrom(...TASK_SORTS).chain((sort) => {
  const values: fc.Arbitrary<string | number> = NUMBERS.includes(sort)
    ? fc.double({ noNaN: true, min: 0, max: 1e9 })
    : fc.string({ unit: 'binary' });
  return fc
    .tuple(
      fc.constantFrom('asc' as const, 'desc' as const),
      fc.option(values),
      fc.stringMatching(/^[A-Za-z0-9._:-]{1,40}$/),
    )
    .map(([order, value, id]) => ({ sort, order, value, id }));
});

test('a cursor comes back as it was, and is safe in a URL', () => {
  fc.assert(
    fc.property(cursors, (cursor) => {
      const text = encodeCursor(cursor);
      assert.match(text, /^[A-Za-z0-9_-]+$/);
      assert.deepEqual(decodeCursor(text, cursor.sort, cursor.order), cursor);
    }),
  );
});

test('a cursor of another listing is refused, and the error says which was expected', () => {
  const text = encodeCursor({ sort: 'title', order: 'asc', value: 'x', id: 'a' });
  for (const [sort, order] of [
    ['title', 'desc'],
    ['cost', 'asc'],
  ] as const) {
    assert.throws(() => decodeCursor(text, sort, order), {
      code: 'invalid_cursor',
      message: new RegExp(`sort=${sort}&order=${order}`),
    });
  }
});

test('a cursor that we did not make is refused', () => {
  const forged = [
    { sort: 'title', order: 'asc', value: 5, id: 'a' },
    { sort: 'title', order: 'asc', value: 'x', id: 5 },
    { sort: 'title', order: 'asc', value: ['x'], id: 'a' },
    { sort: 'title', order: 'asc', id: 'a' },
    { order: 'asc', value: 'x', id: 'a' },
    null,
    'text',
    [],
  ].map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'));
  for (const text of ['', 'x', '%', 'ü', '____', Buffer.from([0xff]).toString('base64url'), ...forged]) {
    assert.throws(() => decodeCursor(text, 'title', 'asc'), { code: 'invalid_cursor' }, text);
  }
});

test('each sort has the value of its field', () => {
  const task = {
    ...newTask(
      { taskId: 'a', title: 't', source: 's', status: 'paused', metrics: { costUsd: 2 } },
      '2026-01-24T10:00:00.000Z',
    ),
    startedAt: 'started',
    completedAt: 'completed',
    createdAt: 'created',
    updatedAt: 'updated',
    log: { total: 5, lastSeq: 6, lost: 0, byLevel: { DEBUG: 1, INFO: 2, WARNING: 3, ERROR: 4 }, lastLine: null },
  };
  const values = Object.fromEntries(TASK_SORTS.map((sort) => [sort, sortValue(task, sort)]));
  assert.deepEqual(values, {
    created_at: 'created',
    updated_at: 'updated',
    started_at: 'started',
    completed_at: 'completed',
    title: 't',
    status: 'paused',
    source: 's',
    duration: null,
    lines: 5,
    errors: 4,
    cost: 2,
  });
});
