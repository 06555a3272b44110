import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asTrailError, ERRORS, TrailError } from '../../src/core/error.ts';

test('every code is one word in snake_case with an error status and a title', () => {
  for (const [code, { status, title }] of Object.entries(ERRORS)) {
    assert.match(code, /^[a-z_]+$/);
    assert.ok(status >= 400 && status <= 599, code);
    assert.match(title, /^[A-Z][^.]+$/, code);
  }
});

test('titles tell codes apart, and only what can pass by itself is worth a retry', () => {
  const titles = Object.values(ERRORS).map(({ title }) => title);
  assert.equal(new Set(titles).size, titles.length);
  for (const [code, { status, retry }] of Object.entries(ERRORS)) {
    // Too much at once (429) and too slow (408) may be better another time; any other mistake of the caller stays one.
    if (status < 500 && status !== 429 && status !== 408) assert.equal(retry, false, code);
  }
});

test('an error of ours keeps its code, cause and faults, and prints its name', () => {
  const cause = new Error('disk');
  const errors = [{ path: 'from', detail: 'expected a time' }];
  const error = new TrailError('invalid_filter', 'from: expected a time, got x', { cause, errors });
  assert.deepEqual([error.code, error.cause, error.errors], ['invalid_filter', cause, errors]);
  assert.equal(String(error), 'TrailError: from: expected a time, got x');
  assert.ok(error instanceof Error && !Object.keys(error).includes('name'));
  assert.equal(asTrailError(error), error);
});

test('whatever else is thrown becomes internal and keeps its cause', () => {
  const thrown = new RangeError('too far');
  const error = asTrailError(thrown);
  assert.deepEqual([error.code, error.message, error.cause], ['internal', 'too far', thrown]);
  for (const value of ['text', null, undefined, 7]) {
    assert.deepEqual([asTrailError(value).code, asTrailError(value).message], ['internal', String(value)]);
  }
});
