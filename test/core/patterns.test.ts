import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATTERN_SOURCES, SAMPLE_CHARS } from '../../src/core/limits.ts';
import { PatternCount, type PatternLine } from '../../src/core/patterns.ts';
import { isoTime } from '../../src/core/time.ts';

function line(message: string, over: Partial<PatternLine> = {}): PatternLine {
  return { taskId: 'a', seq: 1, timestamp: isoTime(0), level: 'INFO', source: 'app', message, ...over };
}

test('a pattern tells its lines by level, source, task and time, and shows the newest', () => {
  const count = new PatternCount();
  count.add(line('job 1 done', { seq: 1, timestamp: isoTime(5) }));
  count.add(line('job 2 done', { taskId: 'b', timestamp: isoTime(9), level: 'ERROR', source: 'db' }));
  count.add(line('job 3 done', { seq: 2, timestamp: isoTime(7) }));
  count.add(line('other'));
  assert.deepEqual(count.answer(10), {
    patterns: [
      {
        template: 'job <n> done',
        count: 3,
        byLevel: { DEBUG: 0, INFO: 2, WARNING: 0, ERROR: 1 },
        sources: ['app', 'db'],
        firstAt: isoTime(5),
        lastAt: isoTime(9),
        tasks: 2,
        sample: { taskId: 'b', seq: 1, message: 'job 2 done' },
      },
      {
        template: 'other',
        count: 1,
        byLevel: { DEBUG: 0, INFO: 1, WARNING: 0, ERROR: 0 },
        sources: ['app'],
        firstAt: isoTime(0),
        lastAt: isoTime(0),
        tasks: 1,
        sample: { taskId: 'a', seq: 1, message: 'other' },
      },
    ],
    total: 4,
    other: 0,
    exact: true,
    scannedFrom: null,
  });
});

test('lines of patterns that are not listed are counted', () => {
  const count = new PatternCount(3);
  for (const word of ['a', 'b', 'b', 'c', 'c', 'c', 'd', 'd', 'd', 'd']) count.add(line(word));
  const { patterns, total, other } = count.answer(2);
  // The fourth template came when three were told apart.
  assert.deepEqual(
    patterns.map(({ template, count }) => [template, count]),
    [
      ['c', 3],
      ['b', 2],
    ],
  );
  assert.deepEqual([total, other], [10, 5]);
});

test('what is kept of a pattern is bounded', () => {
  const count = new PatternCount();
  for (let n = 0; n < 50; n++) count.add(line('x'.repeat(5_000), { seq: n, source: `source-${n}` }));
  const [pattern] = count.answer(1).patterns;
  assert.equal(pattern?.sources.length, PATTERN_SOURCES);
  assert.equal(pattern?.sample.message.length, SAMPLE_CHARS);
});
