import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Draft, ENTRY_TYPES, STREAMS } from '../../../src/core/entry.ts';
import type { LogFilter } from '../../../src/core/filter.ts';
import { LEVELS } from '../../../src/core/level.ts';
import { BLOCK_LINES } from '../../../src/core/limits.ts';
import type { Store } from '../../../src/core/ports.ts';
import { predicate } from '../../../src/core/predicate.ts';
import type { Order } from '../../../src/core/query.ts';
import { isoTime } from '../../../src/core/time.ts';
import { allEntries, type OpenStore, opened, START, stored, taskOf } from './support.ts';

/** Pieces that fold, compare or escape in surprising ways: İ and the Kelvin sign change under toLowerCase, Σ by its neighbours. */
const PIECES = [
  ...[
    'İ',
    'I',
    'i',
    'ı',
    'i\u0307',
    'K',
    '\u212a',
    'k',
    'ß',
    'ẞ',
    'Σ',
    'ς',
    'σ',
    '\u212b',
    'å',
    'é',
    'e\u0301',
    'Ǆ',
    '😀',
    '\ufb01',
  ],
  ...[
    '\u0000',
    '\u001b[31m',
    '\n',
    '\r',
    ' ',
    '%',
    '_',
    '*',
    '?',
    "'",
    '"',
    '\\',
    '.',
    'A',
    'a',
    'B',
    'b',
    'AB',
    'Error',
    '0',
  ],
];
const SOURCES = ['git', 'Git', 'system', "o'brien", 'ünï', '__proto__', '%', '😀'];
const PATTERNS = [
  'a',
  '^A',
  'b$',
  '(?i)k',
  '(?i)error',
  '[A-Z]+b',
  'a.*b',
  '\\d',
  '(?s)a.b',
  '\\x00',
  'İ|ß',
  '^$',
  'a*',
];
const MOMENTS_MS = 50;

const messages = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join(''));
const moments = fc.nat(MOMENTS_MS).map((ms) => isoTime(Date.parse(START) + ms));
const drafts: fc.Arbitrary<Draft> = fc.record({
  timestamp: moments,
  level: fc.constantFrom(...LEVELS),
  source: fc.constantFrom(...SOURCES),
  stream: fc.constantFrom(...STREAMS, null),
  type: fc.constantFrom(...ENTRY_TYPES),
  message: messages,
  metadataJson: fc.constantFrom(null, '{"progress":50}'),
});
const text = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''));
const searches: fc.Arbitrary<LogFilter> = fc.oneof(
  fc.constant({}),
  text.map((search) => ({ search })),
  fc.constantFrom(...PATTERNS).map((search) => ({ search, regex: true })),
);
const parts: fc.Arbitrary<LogFilter> = fc.record(
  {
    levels: fc.subarray([...LEVELS]),
    sources: fc.subarray([...SOURCES, 'nobody']),
    streams: fc.subarray([...STREAMS]),
    types: fc.subarray([...ENTRY_TYPES]),
    from: moments,
    to: moments,
  },
  { requiredKeys: [] },
);
const filters = fc.tuple(parts, searches).map(([part, search]): LogFilter => ({ ...part, ...search }));
const windows = fc.record({
  offset: fc.nat(12),
  limit: fc.integer({ min: 1, max: 12 }),
  after: fc.nat(30),
  before: fc.option(fc.integer({ min: 1, max: 45 }), { nil: undefined }),
});

/** Every store answers exactly what the predicate says, whatever the lines and the filter. */
export function randomContract(open: OpenStore): void {
  test('reading and counting equal the predicate for random lines and filters', async (t) => {
    const { store } = await opened(t, open);
    let made = 0;
    const property = fc.asyncProperty(
      fc.array(drafts, { maxLength: 40 }),
      filters,
      windows,
      async (lines, filter, window) => {
        const taskId = `t${++made}`;
        await store.createTask(taskOf(taskId));
        const half = lines.length >> 1;
        await stored(store, taskId, lines.slice(0, half));
        await stored(store, taskId, lines.slice(half));
        await checkAll(store, taskId, lines, filter, window.limit);
        for (const order of ['asc', 'desc'] as const)
          await checkWindow(store, taskId, lines, filter, { ...window, order });
      },
    );
    await fc.assert(property, { numRuns: 250 });
  });

  test('the same holds for thousands of lines across the borders of blocks', async (t) => {
    const { store } = await opened(t, open);
    let made = 0;
    const property = fc.asyncProperty(
      fc.array(drafts, { minLength: 1, maxLength: 12 }),
      drafts,
      fc.integer({ min: 2, max: 700 }),
      fc.array(filters, { minLength: 3, maxLength: 3 }),
      fc.nat(2_000),
      async (pool, rare, every, wanted, offset) => {
        const taskId = `t${++made}`;
        const lines = manyLines(pool, rare, every);
        await store.createTask(taskOf(taskId));
        // The second batch ends a line behind a border, so that blocks are filled by several appends.
        for (const [start, end] of [
          [0, 700],
          [700, BLOCK_LINES * 2 + 1],
          [BLOCK_LINES * 2 + 1, lines.length],
        ])
          await stored(store, taskId, lines.slice(start, end));
        for (const filter of [...wanted, { search: rare.message.slice(0, 4) || 'x' }]) {
          await checkAll(store, taskId, lines, filter, 1_500);
          const middle = { after: BLOCK_LINES - 1, before: BLOCK_LINES * 2 + 2, offset, limit: 5_000 };
          for (const order of ['asc', 'desc'] as const)
            await checkWindow(store, taskId, lines, filter, { ...middle, order });
        }
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });
}

/** 3,000 lines of the pool in an order without pattern, the rare one among them each so many. */
function manyLines(pool: readonly Draft[], rare: Draft, every: number): Draft[] {
  return Array.from({ length: 3_000 }, (_, i) => {
    const common = pool[(i * 7_919 + (i >> 5)) % pool.length] ?? rare;
    return i % every === every - 1 ? rare : common;
  });
}

async function checkAll(store: Store, taskId: string, lines: readonly Draft[], filter: LogFilter, limit: number) {
  const matching = seqsOf(lines, filter);
  assert.deepEqual(await seqsRead(store, taskId, { filter, limit, order: 'asc' }), matching);
  assert.deepEqual(await seqsRead(store, taskId, { filter, limit, order: 'desc' }), matching.toReversed());
  const { total, exact } = await store.count(taskId, filter, 60_000);
  assert.deepEqual([total, exact], [matching.length, true]);
  const { buckets } = await store.histogram(taskId, { filter, buckets: 7 });
  assert.equal(
    buckets.reduce((sum, bucket) => sum + bucket.total, 0),
    matching.length,
  );
}

interface Window {
  readonly order: Order;
  readonly after: number;
  readonly before?: number | undefined;
  readonly offset: number;
  readonly limit: number;
}

async function checkWindow(store: Store, taskId: string, lines: readonly Draft[], filter: LogFilter, window: Window) {
  const { order, after, before = lines.length + 1, offset, limit } = window;
  const inside = seqsOf(lines, filter).filter((seq) => seq > after && seq < before);
  const expected = order === 'asc' ? inside : inside.reverse();
  const page = await store.read(taskId, { filter, after, before, offset, limit, order });
  assert.deepEqual(
    page.entries.map((entry) => entry.seq),
    expected.slice(offset, offset + limit),
  );
  assert.deepEqual(await seqsRead(store, taskId, { ...window, before, filter }), expected.slice(offset));
}

function seqsOf(lines: readonly Draft[], filter: LogFilter): number[] {
  const passes = predicate(filter);
  return lines.flatMap((line, i) => (passes(line) ? [i + 1] : []));
}

async function seqsRead(store: Store, taskId: string, query: Parameters<Store['read']>[1]): Promise<number[]> {
  return (await allEntries(store, taskId, query)).map((entry) => entry.seq);
}
