import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Draft } from '../../src/core/entry.ts';
import { SEARCH_MS } from '../../src/core/limits.ts';
import type { SearchPlace } from '../../src/core/search.ts';
import { isoTime } from '../../src/core/time.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { openTrail } from '../../src/trail/open.ts';
import { line, numbered, START, stored, taskOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

/** Patterns that are slow in some engines, or in any. */
const EVIL = ['(a+)+$', '(a|aa)+$', '(.*a){20}', '(a*)*b', '([a-z]+)*[0-9]', '(x+x+)+y', '.{0,200}.{0,200}z$'];

test('hostile patterns over many lines end within their time, and pages are read meanwhile', async (t) => {
  const store = await searched(t, (n) => ({ message: `${'a'.repeat(300)} ${n}!` }));
  const searching = EVIL.map((search) =>
    store.search({ filter: { search, regex: true }, limit: 10, budgetMs: SEARCH_MS }),
  );
  let pages = 0;
  let ended = false;
  const all = Promise.all(searching).finally(() => {
    ended = true;
  });
  while (!ended) {
    assert.equal((await store.read('a', { limit: 5 })).count, 5);
    pages += 1;
  }
  for (const { next, complete } of await all) assert.ok(complete || next !== null);
  assert.ok(pages > 1);
});

test('a hostile pattern over the longest lines ends too, line by line', async (t) => {
  const store = await searched(t, (n) => ({ message: n < 5 ? 'ab'.repeat(100_000) : 'short' }));
  const query = { filter: { search: '(a|b|ab){0,20}.{0,100}z$', regex: true }, limit: 10, budgetMs: 0 };
  let steps = 0;
  for (let after: SearchPlace | undefined; ; steps++) {
    const { next, entries } = await store.search({ ...query, ...(after && { after }) });
    assert.equal(entries.length, 0);
    if (!next) break;
    after = next;
  }
  assert.ok(steps > 0);
});

test('a search that is cancelled throws the reason at once, and the next is answered', async (t) => {
  const store = await searched(t, (n) => ({ message: `${'a'.repeat(300)} ${n}!` }));
  const cancelling = new AbortController();
  const filter = { search: '.{0,200}.{0,200}z$', regex: true };
  const searching = store.search({ filter, limit: 10, budgetMs: 600_000 }, cancelling.signal);
  const counting = store.lineFacets({ filter, budgetMs: 600_000 }, cancelling.signal);
  const reason = new Error('went away');
  cancelling.abort(reason);
  await assert.rejects(searching, reason);
  await assert.rejects(counting, reason);
  const { entries } = await store.search({ filter: { search: ' 17!' }, limit: 1, budgetMs: 600_000 });
  assert.equal(entries[0]?.seq, 4_017);
});

test('closing ends a search under way', async (t) => {
  const store = await searched(t, () => ({ message: 'a'.repeat(300) }));
  const filter = { search: '.{0,200}.{0,200}z$', regex: true };
  const searching = assert.rejects(store.search({ filter, limit: 10, budgetMs: 600_000 }), { code: 'store_closed' });
  await store.close();
  await searching;
});

test('lines that come in while a search is on its way are no reason to miss others of their block', async (t) => {
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  const tasks = Array.from({ length: 40 }, (_, n) => `t${n}`);
  for (const taskId of tasks) {
    await store.createTask(taskOf(taskId));
    await stored(
      store,
      taskId,
      numbered(300, (n) => ({ message: `line ${n}`, timestamp: at(n) })),
    );
  }
  for (let round = 1; round <= 5; round++) {
    const found: string[] = [];
    const searching = store.search({ filter: { search: 'line 17' }, limit: 1_000, budgetMs: 600_000 });
    // Each commit moves a block to another place in the index by time.
    const writing = (async () => {
      for (const taskId of tasks) {
        await stored(store, taskId, [line('new', { timestamp: at(10_000_000 * round) })]);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (const { id } of (await searching).entries) found.push(id);
    await writing;
    assert.equal(found.length, tasks.length * 11);
  }
});

function at(ms: number): string {
  return isoTime(Date.parse(START) + ms);
}

/** A trail's reader with a task `a` of some thousand lines. */
async function searched(t: TestContext, over: (n: number) => Partial<Draft>) {
  const dataDir = await scratch(t);
  const writer = new SqliteStore(dataDir);
  await writer.createTask(taskOf('a'));
  for (let done = 0; done < 3; done++) await stored(writer, 'a', numbered(2_000, over));
  await writer.close();
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  return trail.parts.store;
}
