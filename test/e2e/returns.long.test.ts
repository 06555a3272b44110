import assert from 'node:assert/strict';
import test from 'node:test';
import { noBrowser } from '../web/support.ts';
import { BACK_MS, returns } from './returns.ts';

test('a server that is killed and started twenty times while the page tails: the page is soon back, with every line once', {
  skip: noBrowser,
}, async (t) => {
  const took = await returns(t, { rounds: 20 });
  const most = Math.max(...took);
  t.diagnostic(`live again after ${(most / 1_000).toFixed(1)} s at most`);
  assert.ok(most <= BACK_MS, `${most} ms`);
});
