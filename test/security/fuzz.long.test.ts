import test from 'node:test';
import { fuzz } from './fuzz-runs.ts';

/** Other requests each time: the seed is printed, and FUZZ_SEED sends the same ones again. */
const RUNS = 600;

test('many more requests, others each time, find no fault either', async (t) => {
  const given = Number(process.env.FUZZ_SEED);
  await fuzz(t, { seed: given || Math.floor(Math.random() * 2 ** 31), runs: RUNS });
});
