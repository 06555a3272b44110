import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turns } from '../../../src/outlet/alerts/turns.ts';

test('of many who work long, only one does so before everything else has its turn', async () => {
  const turns = new Turns();
  await turns.next();
  let worked = 0;
  let isDone = false;
  const work = async () => {
    for (let step = 0; step < 3; step++) {
      while (turns.isOver) await turns.next();
      const endMs = performance.now() + 25;
      while (performance.now() < endMs);
      worked += 1;
    }
  };
  const working = Promise.all([work(), work(), work(), work()]).finally(() => {
    isDone = true;
  });
  const seen: number[] = [];
  while (!isDone) {
    const before = worked;
    await nextTurn();
    seen.push(worked - before);
  }
  await working;
  assert.equal(worked, 12);
  assert.ok(Math.max(...seen) <= 1, `at most one step in a turn, got ${seen}`);
});
