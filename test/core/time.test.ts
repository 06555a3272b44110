import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isoTime, parseTime } from '../../src/core/time.ts';

const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

test('a time is read in every form that the contract allows', () => {
  const forms: Record<string, string> = {
    '2026-01-24T10:00:00.000Z': '2026-01-24T10:00:00.000Z',
    '2026-01-24T10:00:00Z': '2026-01-24T10:00:00.000Z',
    '2026-01-24T10:00:00.5Z': '2026-01-24T10:00:00.500Z',
    '2026-01-24T10:00:00,25Z': '2026-01-24T10:00:00.250Z',
    '2026-01-24T10:00:00.123456789Z': '2026-01-24T10:00:00.123Z',
    '2026-01-24t10:00:00z': '2026-01-24T10:00:00.000Z',
    '2026-01-24 10:00:00': '2026-01-24T10:00:00.000Z',
    '2026-01-24T10:00': '2026-01-24T10:00:00.000Z',
    ' 2026-01-24 ': '2026-01-24T00:00:00.000Z',
    '2024-02-29': '2024-02-29T00:00:00.000Z',
    '2026-01-31T10:00:00.000Z': '2026-01-31T10:00:00.000Z',
  };
  for (const [given, expected] of Object.entries(forms)) assert.equal(parseTime(given), expected, given);
});

test('a time without a zone is UTC, one with an offset is moved to it', () => {
  assert.equal(parseTime('2026-01-24T10:00:00'), '2026-01-24T10:00:00.000Z');
  assert.equal(parseTime('2026-01-24T10:00:00+02:00'), '2026-01-24T08:00:00.000Z');
  assert.equal(parseTime('2026-01-24T10:00:00-0530'), '2026-01-24T15:30:00.000Z');
  assert.equal(parseTime('2026-01-01T00:30+01:00'), '2025-12-31T23:30:00.000Z');
});

test('Unix milliseconds are read as a number and as digits', () => {
  const ms = Date.parse('2026-01-24T10:00:00.123Z');
  assert.equal(parseTime(ms), '2026-01-24T10:00:00.123Z');
  assert.equal(parseTime(String(ms)), '2026-01-24T10:00:00.123Z');
  assert.equal(parseTime(ms + 0.9), '2026-01-24T10:00:00.123Z');
  assert.equal(parseTime(0), '1970-01-01T00:00:00.000Z');
  assert.equal(parseTime(-1), '1969-12-31T23:59:59.999Z');
  assert.equal(parseTime('-86400000'), '1969-12-31T00:00:00.000Z');
});

test('a moment that the calendar or the clock does not have is refused', () => {
  const wrong = [
    ...['2026-02-31', '2026-02-29T00:00:00Z', '2026-04-31T10:00:00.000Z', '2026-13-01', '2026-00-10', '2026-01-00'],
    ...['2016-12-31T23:59:60Z', '2016-12-31T23:59:60.000Z', '2026-01-24T25:00:00Z', '2026-01-24T10:60:00Z'],
    ...['2026-01-24T10:00:00+99:00', '2026-01-24T10', '2026-01', '2026', 'yesterday', '', ' ', 'Jan 24 2026'],
    ...['+002026-01-24T10:00:00Z', '2026-01-24T10:00:00Zjunk', '2026-01-24T10:00:00.Z', '24.01.2026'],
  ];
  for (const value of wrong) assert.equal(parseTime(value), undefined, value);
  for (const value of [null, undefined, true, {}, [], new Date(), Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.equal(parseTime(value), undefined, String(value));
  }
});

test('years reach from 0 to 9999, so that text order is time order', () => {
  assert.equal(parseTime(FIRST_MS), '0000-01-01T00:00:00.000Z');
  assert.equal(parseTime(LAST_MS), '9999-12-31T23:59:59.999Z');
  assert.equal(parseTime(FIRST_MS - 1), undefined);
  assert.equal(parseTime(LAST_MS + 1), undefined);
  assert.equal(parseTime('9999-12-31T23:59:59.999-01:00'), undefined);
  assert.equal(parseTime('0000-01-01T00:00:00+01:00'), undefined);
  const moments = fc.integer({ min: FIRST_MS, max: LAST_MS });
  fc.assert(
    fc.property(moments, moments, (a, b) => {
      assert.equal(parseTime(isoTime(a)), isoTime(a));
      assert.equal(Date.parse(isoTime(a)), a);
      assert.equal(isoTime(a) < isoTime(b), a < b);
    }),
  );
});
