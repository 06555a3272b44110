import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTRY_TYPES, entryId, isEntryType, isSource, isStream } from '../../src/core/entry.ts';
import { SOURCE_CHARS } from '../../src/core/limits.ts';

test('a source has 1–64 characters without comma and control characters', () => {
  for (const source of ['a', 'system', "o'brien", 'two words', 'ü😀', 'x'.repeat(SOURCE_CHARS)])
    assert.ok(isSource(source));
  for (const source of ['', 'a,b', 'a\nb', 'a\u0000', '\u007f', '\u0085', 'x'.repeat(SOURCE_CHARS + 1)]) {
    assert.ok(!isSource(source), JSON.stringify(source));
  }
});

test('types and streams are known by their exact names', () => {
  assert.ok(ENTRY_TYPES.every(isEntryType) && isStream('stdout') && isStream('stderr'));
  for (const value of ['Log', '', 'constructor', null, 5])
    assert.ok(!isEntryType(value) && !isStream(value), String(value));
});

test("an entry's id is its task and its seq", () => {
  assert.equal(entryId('task-1.2', 7), 'task-1.2:7');
});
