import assert from 'node:assert/strict';
import test from 'node:test';
import { flood } from './flood.ts';

// Five million lines are in flood.long.test.ts.
test('a task that logs in a tight loop and waits for room loses nothing', async (t) => {
  const { kept, lost, notes } = await flood(t, { lines: 500_000, wait: 'drain' });
  assert.deepEqual([kept, lost, notes], [500_000, 0, []]);
});

test('one that never waits loses what found no room, and exactly that is counted and said', async (t) => {
  const { kept, lost, notes } = await flood(t, { lines: 1_000_000, wait: 'none' });
  assert.ok(lost > 0);
  assert.equal(kept + lost, 1_000_000);
  assert.ok(notes.length > 0 && notes.every((note) => /lines? (?:was|were) lost/.test(note)), notes.join('\n'));
});
