import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, EVIL, searchedServer } from '../support/hostile-search.ts';

const LINES = 1_000_000;
const ROUTES = [
  '/api/logs/search',
  '/api/logs/search/facets',
  '/api/logs/search/histogram',
  '/api/tasks/t0/logs/histogram',
  '/api/tasks/t0/logs/facets',
];

test('over a million lines every hostile pattern ends within two seconds, and the thread that answers is free', {
  timeout: 900_000,
}, async (t) => {
  const server = await searchedServer(t, LINES);
  for (const search of EVIL) {
    for (const path of ROUTES) {
      await server.ownDelay();
      const { status, ms, body } = await ask(server, path, { search, regex: 'true' });
      const { p99, max } = await server.ownDelay();
      const whole = body.complete ?? body.total_exact ?? body.exact;
      t.diagnostic(
        `${search.slice(0, 30)} ${path}: ${ms.toFixed(0)} ms, ${whole ? 'whole' : 'cut'}, delay p99 ${p99.toFixed(1)}, longest ${max.toFixed(1)} ms`,
      );
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(typeof whole, 'boolean');
      // The last step may begin just before the time is up.
      assert.ok(ms <= 2_500, `${search} ${path}: ${ms} ms`);
      assert.ok(p99 <= 50, `${search} ${path}: ${p99} ms`);
    }
  }
});
