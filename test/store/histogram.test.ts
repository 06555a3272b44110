import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Draft } from '../../src/core/entry.ts';
import type { LogFilter } from '../../src/core/filter.ts';
import { BLOCK_LINES } from '../../src/core/limits.ts';
import { isoTime } from '../../src/core/time.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { batch, line, START, taskOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

const START_MS = Date.parse(START);
const FILTERS: readonly LogFilter[] = [
  {},
  { levels: ['ERROR'] },
  { sources: ['b'] },
  { from: isoTime(START_MS + 3_000) },
  { levels: ['ERROR', 'INFO'], search: 'line 7' },
];

test('a histogram over many blocks counts as one line by line does, whatever the gaps between lines', async (t) => {
  const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(9), fc.nat(30_000)), { minLength: 20, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.integer({ min: 1, max: 500 }), fc.nat(2), async (steps, buckets, kind) => {
      const store = new SqliteStore(await scratch(t));
      const memory = new MemoryStore();
      try {
        const drafts = linesOf(steps);
        // In order; with a late line in the middle; the first half compressed.
        if (kind === 1) drafts.splice(1_500, 0, line('late', { timestamp: START }));
        for (const each of [store, memory]) await each.createTask(taskOf('a'));
        for (const each of [store, memory]) await each.append([batch('a', drafts.slice(0, 1_300))]);
        if (kind === 2) await compressed(store);
        for (const each of [store, memory]) await each.append([batch('a', drafts.slice(1_300))]);
        for (const filter of FILTERS) {
          const [got, expected] = [
            await store.histogram('a', { filter, buckets }),
            await memory.histogram('a', { filter, buckets }),
          ];
          assert.deepEqual(got, expected, JSON.stringify({ filter, buckets, kind }));
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: 30 },
  );
});

function linesOf(gapsMs: readonly number[]): Draft[] {
  let ms = START_MS;
  return Array.from({ length: BLOCK_LINES * 3 + 100 }, (_, n) => {
    // A gap every so many lines, small ones in between.
    ms += n % 64 === 0 ? (gapsMs[(n / 64) % gapsMs.length] ?? 0) : n % 3;
    const level = n % 11 === 0 ? ('ERROR' as const) : ('INFO' as const);
    return line(`line ${n}`, { timestamp: isoTime(ms), level, source: n % 5 ? 'a' : 'b' });
  });
}

async function compressed(store: SqliteStore): Promise<void> {
  await store.changeTask('a', { status: 'completed' });
  while (store.compress('9999'));
}
