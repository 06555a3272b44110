import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEVELS, levelOfSeverity, levelRank, parseLevel } from '../../src/core/level.ts';

test('a level is read by its name and by the names others use, in any case', () => {
  const names = {
    DEBUG: ['DEBUG', 'debug', 'Debug', 'trace', 'TRACE', 'verbose'],
    INFO: ['INFO', 'info', ' info ', 'notice'],
    WARNING: ['WARNING', 'warning', 'warn', 'Warn'],
    ERROR: ['ERROR', 'err', 'error', 'fatal', 'CRITICAL', 'critical'],
  };
  for (const [level, written] of Object.entries(names)) {
    for (const name of written) assert.equal(parseLevel(name), level, name);
  }
});

test("the numbers 10, 20 … 60 are pino's", () => {
  const levels = [10, 20, 30, 40, 50, 60].map(parseLevel);
  assert.deepEqual(levels, ['DEBUG', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'ERROR']);
});

test("other numbers from 1 to 24 are OpenTelemetry's", () => {
  const expected = (n: number) => (n >= 17 ? 'ERROR' : n >= 13 ? 'WARNING' : n >= 9 ? 'INFO' : 'DEBUG');
  for (let n = 1; n <= 24; n++) {
    assert.equal(levelOfSeverity(n), expected(n), `severity ${n}`);
    if (n !== 10 && n !== 20) assert.equal(parseLevel(n), expected(n), `level ${n}`);
  }
});

test('what names no level is refused', () => {
  for (const value of [
    '',
    'loud',
    '30',
    'constructor',
    0,
    -1,
    25,
    35,
    70,
    9.5,
    Number.NaN,
    null,
    undefined,
    {},
    true,
  ]) {
    assert.equal(parseLevel(value), undefined, String(value));
  }
  for (const value of [0, 25, 1.5, Number.NaN]) assert.equal(levelOfSeverity(value), undefined, String(value));
});

test('levels rank from DEBUG to ERROR', () => {
  assert.deepEqual(LEVELS.map(levelRank), [0, 1, 2, 3]);
});
