import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { newTask } from '../../src/core/change.ts';
import type { Draft, LogEntry } from '../../src/core/entry.ts';
import type { LogFilter } from '../../src/core/filter.ts';
import { READ_ROWS } from '../../src/core/limits.ts';
import { predicate } from '../../src/core/predicate.ts';
import { type LogAnswerQuery, logAnswer } from '../../src/query/log-answer.ts';
import { hasMore, pages } from '../../src/query/page.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';

const NOW = '2026-01-24T10:00:00.000Z';

async function storeWith(count: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.createTask(newTask({ taskId: 't' }, NOW));
  const drafts = Array.from(
    { length: count },
    (_, i): Draft => ({
      timestamp: NOW,
      level: i % 3 === 0 ? 'ERROR' : 'INFO',
      source: i % 5 === 0 ? 'git' : 'system',
      stream: null,
      type: 'log',
      message: i % 7 === 0 ? 'a needle' : 'hay',
      metadataJson: null,
    }),
  );
  await store.append([{ taskId: 't', drafts, filtered: 0, lost: 0 }]);
  return store;
}

async function taken(store: MemoryStore, query: LogAnswerQuery) {
  const lines = logAnswer(store, 't', query);
  const entries: LogEntry[] = [];
  while (true) {
    const step = await lines.next();
    if (step.done) return { entries, facts: step.value };
    entries.push(...step.value.entries);
  }
}

const FILTERS: readonly LogFilter[] = [
  {},
  { levels: ['ERROR'] },
  { sources: ['git'], levels: ['INFO'] },
  { search: 'NEEDLE' },
  { search: 'nothing has this' },
];

test('a page is the slice of the lines that the filter, window, order, offset and limit name', async () => {
  const total = READ_ROWS * 2 + 123;
  const store = await storeWith(total);
  const all: LogEntry[] = [];
  for await (const page of pages(store, 't', {})) all.push(...page.entries);
  assert.equal(all.length, total);
  const seq = fc.option(fc.integer({ min: 0, max: total + 5 }), { nil: undefined });
  const query = fc.record({
    filter: fc.constantFrom(...FILTERS),
    offset: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: total + 5 })),
    limit: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: total })),
    after: seq,
    before: seq,
    order: fc.constantFrom('asc' as const, 'desc' as const),
    count: fc.constantFrom('auto' as const, 'exact' as const, 'none' as const),
  });
  await fc.assert(
    fc.asyncProperty(query, async ({ after, before, ...rest }) => {
      const asked = { ...rest, ...(after !== undefined && { after }), ...(before !== undefined && { before }) };
      const { entries, facts } = await taken(store, asked);
      const matching = all.filter(predicate(asked.filter));
      const window = matching.filter((e) => e.seq > (after ?? 0) && e.seq < (before ?? Number.POSITIVE_INFINITY));
      if (asked.order === 'desc') window.reverse();
      const end = asked.limit === -1 ? undefined : asked.offset + asked.limit;
      assert.deepEqual(
        entries.map((e) => e.seq),
        window.slice(asked.offset, end).map((e) => e.seq),
      );
      assert.equal(facts.hasMore, end !== undefined && window.length > end);
      assert.equal(facts.lastSeq, total);
      if (facts.totalExact) assert.equal(facts.total, matching.length);
      else assert.ok(facts.total <= matching.length && facts.total >= entries.length);
      if (asked.count === 'exact') assert.ok(facts.totalExact);
    }),
    { numRuns: 60 },
  );
});

test('a page shows nothing newer than the last_seq it names', async () => {
  const store = await storeWith(10);
  const lines = logAnswer(store, 't', { filter: {}, offset: 0, limit: -1, order: 'asc', count: 'auto' });
  const first = await lines.next();
  assert.equal(first.done, false);
  const late = { timestamp: NOW, level: 'INFO', source: 'x', stream: null, type: 'log', metadataJson: null } as const;
  await store.append([{ taskId: 't', drafts: [{ ...late, message: 'late' }], filtered: 0, lost: 0 }]);
  const last = await lines.next();
  assert.ok(last.done);
  assert.deepEqual(last.value, { total: 10, totalExact: true, hasMore: false, lastSeq: 10 });
});

test('looking for one more line gives up when its time is up, and says so', async () => {
  const store = await storeWith(READ_ROWS * 3);
  const rare = { filter: { search: 'nothing has this' } };
  assert.equal(await hasMore(store, 't', rare, 0), undefined);
  assert.equal(await hasMore(store, 't', rare, 60_000), false);
  assert.equal(await hasMore(store, 't', { filter: { levels: ['ERROR'] } }, 0), true);
});

test('a walk of a task that does not exist fails at its first step', async () => {
  const store = new MemoryStore();
  await assert.rejects(pages(store, 'nobody', {}).next(), { code: 'task_not_found' });
});

test('a page whose time is up says how far it came, and the pages from there on are the whole, in both orders', async () => {
  const store = await storeWith(3 * READ_ROWS);
  for (const [filter, order] of FILTERS.flatMap((each) =>
    (['asc', 'desc'] as const).map((way) => [each, way] as const),
  )) {
    const query = { filter, order, offset: 0, count: 'none', limit: 3 * READ_ROWS } as const;
    const { entries: whole, facts } = await taken(store, { ...query, budgetMs: 60_000 });
    assert.equal(facts.scannedTo, undefined);
    const parts: LogEntry[] = [];
    let cuts = 0;
    for (let window = {}; ; cuts++) {
      const page = await taken(store, { ...query, ...window, budgetMs: 0 });
      parts.push(...page.entries);
      const { scannedTo, hasMore: more, totalExact, total } = page.facts;
      if (scannedTo === undefined) break;
      assert.deepEqual([more, totalExact, total], [true, false, page.entries.length]);
      window = order === 'asc' ? { after: scannedTo } : { before: scannedTo };
    }
    assert.deepEqual(parts, whole);
    // Without a filter there is nothing to look for: the page is never cut.
    assert.equal(cuts > 0, Object.keys(filter).length > 0, JSON.stringify(filter));
  }
});
