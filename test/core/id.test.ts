import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTaskId, newTaskId } from '../../src/core/id.ts';

test('an id of allowed characters is itself', () => {
  for (const id of ['a', '7', 'task-1737737400.123', 'A_b:c-d.e', 'x'.repeat(128)]) assert.equal(checkTaskId(id), id);
});

test('anything else is refused, and the refusal shows what came', () => {
  for (const id of [
    '',
    ' a',
    'a b',
    '.a',
    '-a',
    '_a',
    ':a',
    'a/b',
    'ä',
    'a\n',
    'a\u0000',
    'x'.repeat(129),
    '..',
    'a%2f',
  ]) {
    assert.throws(() => checkTaskId(id), { code: 'invalid_task_id' }, JSON.stringify(id));
  }
  for (const id of [null, undefined, 5, {}, ['a']]) {
    assert.throws(() => checkTaskId(id), { code: 'invalid_task_id' }, String(id));
  }
  assert.throws(() => checkTaskId('no spaces'), /got "no spaces"$/);
  assert.throws(
    () => checkTaskId('x'.repeat(10_000)),
    (error: Error) => error.message.length < 400,
  );
});

test('new ids are valid, each its own, and name their moment', () => {
  const ids = Array.from({ length: 1_000 }, newTaskId);
  assert.equal(new Set(ids).size, 1_000);
  for (const id of ids) {
    assert.equal(checkTaskId(id), id);
    assert.match(id, /^task-[0-9A-HJKMNP-TV-Z]{26}$/);
  }
  assert.ok(
    ids.every((id) => id.slice(5, 15) >= String(ids[0]).slice(5, 15)),
    'later ids sort later, to the millisecond',
  );
});
