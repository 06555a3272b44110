import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Asked, ask, EVIL, REFUSED, searchedServer } from '../support/hostile-search.ts';

const LINES = 60_000;
/** Every search has 2 s; other tests may have the processor meanwhile. */
const LATEST_MS = 8_000;

test('hostile patterns are refused or end in time, marked when they were cut, and never hold up the thread that answers', {
  timeout: 120_000,
}, async (t) => {
  const server = await searchedServer(t, LINES);
  await server.ownDelay();

  for (const search of REFUSED) {
    for (const path of ['/api/logs/search', '/api/tasks/t0/logs']) {
      const { status, body } = await ask(server, path, { search, regex: 'true' });
      assert.deepEqual([status, body.code], [400, 'invalid_filter'], search);
    }
    const asked = await ask(server, '/api/tasks', { q: `/${search}/` });
    assert.deepEqual([asked.status, asked.body.code], [400, 'invalid_query'], search);
  }

  const slowest: Record<string, number> = {};
  let cut = 0;
  for (const search of EVIL) {
    const answers = await Promise.all([
      ask(server, '/api/logs/search', { search, regex: 'true' }),
      ask(server, '/api/logs/search/facets', { search, regex: 'true', budget_ms: '200' }),
      ask(server, '/api/logs/search/histogram', { search, regex: 'true', budget_ms: '200' }),
      ask(server, '/api/logs/search', { q: `/${search.replaceAll('/', '\\/')}/`, budget_ms: '200' }),
      ask(server, '/health', {}),
    ]);
    for (const { status, body } of answers) assert.equal(status, 200, `${search}: ${JSON.stringify(body)}`);
    const [found, facets, histogram, asked] = answers;
    slowest[search] = Math.max(...answers.map(({ ms }) => ms));
    // What was not looked at is told: there is a place to go on from, or the figures call themselves "at least".
    for (const { body } of [found, asked]) assert.ok(body.complete || body.next_cursor !== null, search);
    assert.equal(typeof facets.body.total_exact, 'boolean');
    assert.equal(typeof histogram.body.exact, 'boolean');
    cut += [asked.body.complete, facets.body.total_exact, histogram.body.exact].filter((whole) => !whole).length;
  }
  const delay = await server.ownDelay();
  const latest = Math.max(...Object.values(slowest));
  t.diagnostic(`${LINES} lines, ${EVIL.length} patterns: slowest ${latest.toFixed(0)} ms, ${cut} cut`);
  t.diagnostic(
    `own delay of the thread that answers: p99 ${delay.p99.toFixed(1)} ms, longest ${delay.max.toFixed(1)} ms`,
  );
  assert.ok(cut > 0, 'some of them cannot be done in 200 ms');
  assert.ok(latest <= LATEST_MS, JSON.stringify(slowest));
  assert.ok(delay.ticks > 100 && delay.p99 <= 50, JSON.stringify(delay));
});

/** Slow for every letter; it finds what `77!` at the end finds. */
const SLOW = '[\\p{L}\\p{N}\\p{M} ]{0,400}\\p{Lu}$|77!$';

test('a page of one task by such a pattern ends in time too, says how far it came, and goes on there to the last line', {
  timeout: 120_000,
}, async (t) => {
  const server = await searchedServer(t, 16_000);
  const path = '/api/tasks/t0/logs';
  const seqs = (body: Asked['body']): number[] => body.logs.map(({ seq }: { seq: number }) => seq);
  const { body: all } = await ask(server, path, { search: '77!', limit: '-1' });
  for (const order of ['asc', 'desc'] as const) {
    const wanted = order === 'asc' ? seqs(all) : seqs(all).reverse();
    const found: number[] = [];
    let cut = 0;
    let from: Record<string, string> = {};
    for (;;) {
      const { status, ms, body } = await ask(server, path, {
        search: SLOW,
        regex: 'true',
        limit: '10000',
        order,
        ...from,
      });
      assert.equal(status, 200);
      assert.ok(ms <= LATEST_MS, `${ms} ms`);
      found.push(...seqs(body));
      if (body.scanned_to === undefined) break;
      cut += 1;
      assert.deepEqual([body.has_more, body.total_exact], [true, false]);
      from = { [order === 'asc' ? 'after' : 'before']: String(body.scanned_to) };
    }
    assert.deepEqual(found, wanted, order);
    t.diagnostic(`${order}: ${wanted.length} lines in ${cut + 1} pages`);
  }
});
