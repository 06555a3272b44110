import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_STEPS, EVENTS_COMMIT_MS, EVENTS_READ, EVENTS_READ_CHARS } from '../../../src/core/limits.ts';
import { Pace } from '../../../src/inlet/redis/pace.ts';

/** Entries of the next commit. */
function size(pace: Pace): number {
  let held = 0;
  while (!pace.isFull({ ids: new Array<string>(held), chars: 0 })) held += pace.read(held);
  return held;
}

/** Where it begins. */
const LEAST = 2 * EVENTS_READ;

test('full commits that take little time double, to the most steps', () => {
  const pace = new Pace();
  const sizes = [size(pace)];
  for (let commits = 0; commits < 5; commits++) {
    pace.committed(size(pace), 1);
    sizes.push(size(pace));
  }
  assert.deepEqual(
    sizes,
    [1, 2, 4, 8, 16, 32].map((times) => Math.min(times * LEAST, EVENT_STEPS)),
  );
});

test('a commit that takes too long is followed by one that fits, not less than half, and never below the least', () => {
  const pace = new Pace();
  for (let commits = 0; commits < 5; commits++) pace.committed(size(pace), 1);
  pace.committed(EVENT_STEPS, 1.25 * EVENTS_COMMIT_MS);
  assert.equal(size(pace), 0.8 * EVENT_STEPS);
  pace.committed(0.8 * EVENT_STEPS, 60_000);
  assert.equal(size(pace), 0.4 * EVENT_STEPS);
  for (let commits = 0; commits < 5; commits++) pace.committed(size(pace), 60_000);
  assert.equal(size(pace), LEAST);
});

test('a small commit without a backlog says nothing of larger ones', () => {
  const pace = new Pace();
  pace.committed(3, EVENTS_COMMIT_MS / 10);
  assert.equal(size(pace), LEAST);
});

test('of large entries fewer are read at once, one at least, and a commit has no more than so many characters', () => {
  const pace = new Pace();
  pace.measure(10, EVENTS_READ_CHARS);
  assert.equal(pace.read(0), 10);
  pace.measure(1, 4 * EVENTS_READ_CHARS);
  assert.equal(pace.read(0), 1);
  assert.equal(pace.isFull({ ids: ['1-0'], chars: EVENTS_READ_CHARS }), true);
  pace.measure(0, 0);
  assert.equal(pace.read(0), 1);
  pace.measure(1_000, 1_000);
  assert.equal(pace.read(0), EVENTS_READ);
  assert.equal(pace.read(LEAST - 7), 7);
});
