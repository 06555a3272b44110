import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Draft } from '../../../src/core/entry.ts';
import { taskFacts } from '../../../src/core/expr.ts';
import type { LogFilter } from '../../../src/core/filter.ts';
import { LEVELS } from '../../../src/core/level.ts';
import { PatternCount, type Patterns } from '../../../src/core/patterns.ts';
import { predicate } from '../../../src/core/predicate.ts';
import { isoTime } from '../../../src/core/time.ts';
import { line, numbered, type OpenStore, opened, plain, START, stored, taskOf, withTask } from './support.ts';

const OPEN = { budgetMs: 60_000, limit: 100 };

/** Lines by pattern, of one task and of many. */
export function patternsContract(open: OpenStore): void {
  test('lines that differ only in their numbers are one pattern, the most frequent first', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', [...numbered(3_000), line('Disk is full', { level: 'ERROR' })]);
    const { patterns, ...rest } = await store.patterns({ ...OPEN, filter: {}, tasks: ['a'] });
    assert.deepEqual(plain(rest), { total: 3_001, other: 0, exact: true, scannedFrom: null });
    assert.deepEqual(
      patterns.map(({ template, count, byLevel }) => [template, count, byLevel.ERROR]),
      [
        ['line <n>', 3_000, 0],
        ['Disk is full', 1, 1],
      ],
    );
    assert.deepEqual(plain(patterns[0]?.sample), { taskId: 'a', seq: 3_000, message: 'line 3000' });
    assert.deepEqual([patterns[0]?.firstAt, patterns[0]?.lastAt], [START, isoTime(Date.parse(START) + 2_999)]);
  });

  test('a task that is not there has no patterns', async (t) => {
    const { store } = await withTask(t, open);
    const nothing = { patterns: [], total: 0, other: 0, exact: true, scannedFrom: null };
    assert.deepEqual(plain(await store.patterns({ ...OPEN, filter: {}, tasks: ['b'] })), nothing);
    assert.deepEqual(plain(await store.patterns({ ...OPEN, filter: {} })), nothing);
  });

  test('when the time is up, no line from the moment that is told on is left out', async (t) => {
    const { store } = await opened(t, open);
    for (const [n, taskId] of ['a', 'b', 'c'].entries()) {
      await store.createTask(taskOf(taskId));
      await stored(
        store,
        taskId,
        numbered(4_000, (line) => ({ timestamp: isoTime(Date.parse(START) + n * 2_000 + line) })),
      );
    }
    const hasty = await store.patterns({ filter: {}, budgetMs: 0, limit: 100 });
    assert.equal(hasty.exact, hasty.scannedFrom === null);
    const { scannedFrom } = hasty;
    const least = await store.patterns({ ...OPEN, filter: scannedFrom === null ? {} : { from: scannedFrom } });
    assert.ok(hasty.total >= least.total && hasty.total <= 12_000, `${hasty.total} of at least ${least.total} lines`);
    assert.ok(hasty.total > 0, 'something is always looked at');
  });

  test('patterns are those that counting line by line finds', async (t) => {
    const { store } = await opened(t, open);
    const held = new Map<string, readonly Draft[]>();
    let made = 0;
    await fc.assert(
      fc.asyncProperty(lists, filters, fc.boolean(), async (lines, filter, all) => {
        const taskId = `t${made++}`;
        await store.createTask(taskOf(taskId));
        await stored(store, taskId, lines);
        held.set(taskId, lines);
        const tasks = all ? [...held.keys()] : [taskId];
        const found = await store.patterns({ ...OPEN, limit: 3, filter, ...(all ? {} : { tasks }) });
        assert.deepEqual(plain(found), plain(counted(held, { tasks, filter, limit: 3 })));
      }),
      { numRuns: 40 },
    );
  });
}

function counted(
  held: ReadonlyMap<string, readonly Draft[]>,
  { tasks, filter, limit }: { tasks: readonly string[]; filter: LogFilter; limit: number },
): Patterns {
  const count = new PatternCount();
  for (const taskId of tasks) {
    const passes = predicate(filter, taskFacts(taskOf(taskId)));
    for (const [index, draft] of (held.get(taskId) ?? []).entries()) {
      if (passes(draft)) count.add({ ...draft, taskId, seq: index + 1 });
    }
  }
  return count.answer(limit);
}

const words = fc.constantFrom('read', 'wrote', 'failed', '"x"', '/a/b', '/c/d.ts', '12', '7ms', '10.0.0.1', 'é', '\n');
const moments = fc.nat(50).map((ms) => isoTime(Date.parse(START) + ms));
const lists: fc.Arbitrary<readonly Draft[]> = fc.array(
  fc
    .record({
      message: fc.array(words, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' ')),
      level: fc.constantFrom(...LEVELS),
      source: fc.constantFrom('app', 'db'),
      timestamp: moments,
    })
    .map(({ message, ...over }) => line(message, over)),
  { minLength: 1, maxLength: 20 },
);
const filters: fc.Arbitrary<LogFilter> = fc.record(
  {
    levels: fc.subarray([...LEVELS]),
    sources: fc.constantFrom(['app'], ['db']),
    search: fc.constantFrom('r', 'é', '/A'),
    from: moments,
    to: moments,
  },
  { requiredKeys: [] },
);
