import assert from 'node:assert/strict';
import test from 'node:test';
import { flood } from './flood.ts';

const LINES = 5_000_000;
const BOUND_BYTES = 768 * 2 ** 20;

test('five million lines with a wait for room: bounded memory, nothing lost', async (t) => {
  const { kept, lost, peakBytes } = await flood(t, { lines: LINES, wait: 'drain' });
  assert.deepEqual([kept, lost], [LINES, 0]);
  assert.ok(peakBytes < BOUND_BYTES, `${peakBytes} bytes`);
});

test('five million lines without a wait: bounded memory, every lost line counted', async (t) => {
  const { kept, lost, peakBytes } = await flood(t, { lines: LINES, wait: 'none' });
  assert.equal(kept + lost, LINES);
  assert.ok(peakBytes < BOUND_BYTES, `${peakBytes} bytes`);
});
