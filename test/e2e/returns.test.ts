import test from 'node:test';
import { noBrowser } from '../web/support.ts';
import { returns } from './returns.ts';

test('a server that is killed and started three times while the page tails: no line is missing or shown twice', {
  skip: noBrowser,
  timeout: 180_000,
}, async (t) => {
  const took = await returns(t, { rounds: 3 });
  t.diagnostic(`live again after ${took.map((ms) => `${(ms / 1_000).toFixed(1)} s`).join(', ')}`);
});
