import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeJson } from '../../src/core/base64.ts';
import { decodeSearchCursor, encodeSearchCursor } from '../../src/query/search-cursor.ts';
import { readSearch } from '../../src/query/search-request.ts';

const NOW_MS = Date.parse('2026-01-24T12:00:00.000Z');
const place = { timestamp: '2026-01-24T10:00:00.000Z', taskId: 'task-1.2', seq: 7 };

function cursorOf(raw: Parameters<typeof readSearch>[0]): string {
  const { nowMs, key } = readSearch(raw, NOW_MS);
  return encodeSearchCursor({ nowMs, key, place });
}

test('a cursor is read back as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.string(), fc.nat(), (nowMs, key, seq) => {
      const cursor = { nowMs, key, place: { ...place, seq } };
      const text = encodeSearchCursor(cursor);
      assert.match(text, /^[\w-]+$/);
      assert.deepEqual(decodeSearchCursor(text), cursor);
    }),
  );
});

test('a cursor goes on with the same search, however its parameters are written', () => {
  const cursor = cursorOf({ q: 'boom', level: 'error,info', task: 'b,a' });
  const search = readSearch({ q: 'boom', level: ['INFO', 'error'], task: ['a', 'b'], cursor }, NOW_MS + 9_000);
  assert.deepEqual(search.after, place);
  assert.deepEqual(search.tasks, ['a', 'b']);
});

test('a cursor of another search is refused', () => {
  const cursor = cursorOf({ q: 'boom', level: 'error' });
  for (const other of [{ q: 'boom' }, { q: 'bang', level: 'error' }, { q: 'boom', level: 'error', task: 'a' }]) {
    assert.throws(() => readSearch({ ...other, cursor }, NOW_MS), { code: 'invalid_cursor' });
  }
});

test('a time that counts from now means on every page what it meant on the first', () => {
  const cursor = cursorOf({ q: 'after:-2h' });
  const first = readSearch({ q: 'after:-2h' }, NOW_MS);
  const second = readSearch({ q: 'after:-2h', cursor }, NOW_MS + 3_600_000);
  assert.deepEqual(second.filter, first.filter);
  assert.notDeepEqual(readSearch({ q: 'after:-2h' }, NOW_MS + 3_600_000).filter, first.filter);
});

test('what is no cursor is refused by name', () => {
  const good = { n: NOW_MS, k: 'x', t: place.timestamp, id: 'a', s: 1 };
  const bad = [
    { ...good, n: '1' },
    { ...good, n: 1e30 },
    { ...good, t: 'now' },
    { ...good, s: 1.5 },
    { ...good, id: 3 },
  ];
  for (const cursor of ['x', 'e30', '%', ...bad.map(encodeJson)]) {
    assert.throws(() => readSearch({ cursor }, NOW_MS), { code: 'invalid_cursor' }, cursor);
  }
});

test('a task that names none is refused, not taken for every task', () => {
  for (const task of ['', ',', ' , ', [''], ['', ',']]) {
    assert.throws(() => readSearch({ task }, NOW_MS), {
      code: 'invalid_parameter',
      message: 'task: expected a task id',
      errors: [{ path: 'task', detail: 'expected a task id' }],
    });
  }
  assert.deepEqual(readSearch({ task: 'a,' }, NOW_MS).tasks, ['a']);
  assert.equal(readSearch({}, NOW_MS).tasks, undefined);
});

test('a task that is no id is refused by name', () => {
  assert.throws(
    () => readSearch({ task: 'a b' }, NOW_MS),
    (error: { code: string; errors: readonly { path: string }[] }) => {
      assert.equal(error.code, 'invalid_parameter');
      assert.equal(error.errors[0]?.path, 'task');
      return true;
    },
  );
});
