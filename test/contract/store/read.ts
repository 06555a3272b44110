import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFilter } from '../../../src/core/filter.ts';
import { READ_ROWS } from '../../../src/core/limits.ts';
import { entryJson } from '../../../src/core/wire.ts';
import {
  allEntries,
  allPages,
  entryOf,
  line,
  numbered,
  type OpenStore,
  plain,
  rejectsWith,
  stored,
  withTask,
} from './support.ts';

const LINES = [
  line('Cloning', { source: 'git', stream: 'stderr', timestamp: '2026-01-24T10:00:03.000Z' }),
  line('npm WARN old', { level: 'WARNING', source: 'npm', stream: 'stdout', type: 'output' }),
  line('100% done_', { level: 'DEBUG', timestamp: '2026-01-24T10:00:01.000Z' }),
  line('Straße 😀 İ', { level: 'ERROR', source: 'npm', stream: 'stderr', type: 'result' }),
  line('nul\u0000after', { source: "o'brien", type: 'tool_call', timestamp: '2026-01-24T10:00:01.500Z' }),
  line('KELVIN \u212a k', { level: 'ERROR', type: 'thinking', timestamp: '2026-01-24T10:00:04.000Z' }),
];
const FILTERS: readonly { name: string; filter: LogFilter; expected: readonly number[] }[] = [
  { name: 'no filter', filter: {}, expected: [1, 2, 3, 4, 5, 6] },
  { name: 'a level', filter: { levels: ['ERROR'] }, expected: [4, 6] },
  { name: 'levels', filter: { levels: ['WARNING', 'DEBUG'] }, expected: [2, 3] },
  { name: 'no level at all', filter: { levels: [] }, expected: [] },
  { name: 'a source', filter: { sources: ['npm'] }, expected: [2, 4] },
  { name: 'sources', filter: { sources: ['git', "o'brien"] }, expected: [1, 5] },
  { name: 'a source in another case', filter: { sources: ['NPM'] }, expected: [] },
  { name: 'no source at all', filter: { sources: [] }, expected: [] },
  { name: 'a stream', filter: { streams: ['stderr'] }, expected: [1, 4] },
  { name: 'both streams', filter: { streams: ['stdout', 'stderr'] }, expected: [1, 2, 4] },
  { name: 'a type', filter: { types: ['result'] }, expected: [4] },
  { name: 'types', filter: { types: ['output', 'thinking', 'tool_call'] }, expected: [2, 5, 6] },
  { name: 'text in any case', filter: { search: 'WARN OLD' }, expected: [2] },
  { name: 'text that is folded by toLowerCase', filter: { search: 'İ' }, expected: [4] },
  { name: 'a Kelvin sign, which folds to k', filter: { search: 'n K \u212a' }, expected: [6] },
  { name: 'text with a wildcard of SQL', filter: { search: '%' }, expected: [3] },
  { name: 'text with another wildcard of SQL', filter: { search: 'e_' }, expected: [3] },
  { name: 'text behind a NUL', filter: { search: 'AFTER' }, expected: [5] },
  { name: 'a NUL', filter: { search: '\u0000' }, expected: [5] },
  { name: 'text that looks like a pattern', filter: { search: '.*' }, expected: [] },
  { name: 'a pattern', filter: { search: '^[A-Z][a-z]+$', regex: true }, expected: [1] },
  { name: 'a pattern in any case', filter: { search: '(?i)clon|kelvin', regex: true }, expected: [1, 6] },
  { name: 'a first moment', filter: { from: '2026-01-24T10:00:01.500Z' }, expected: [1, 5, 6] },
  { name: 'a last moment', filter: { to: '2026-01-24T10:00:01.500Z' }, expected: [2, 3, 4] },
  { name: 'a span', filter: { from: '2026-01-24T10:00:01.000Z', to: '2026-01-24T10:00:03.000Z' }, expected: [3, 5] },
  {
    name: 'a span turned round',
    filter: { from: '2026-01-24T10:00:03.000Z', to: '2026-01-24T10:00:01.000Z' },
    expected: [],
  },
  {
    name: 'everything together',
    filter: {
      levels: ['INFO', 'ERROR'],
      sources: ['npm', 'git'],
      streams: ['stderr'],
      types: ['result', 'log'],
      search: 's',
      to: '2026-01-24T10:00:01.000Z',
    },
    expected: [4],
  },
];

/** Pages of lines: filters, windows, how far a page came. */
export function readContract(open: OpenStore): void {
  test('lines are found and counted by each filter and by several together', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', LINES);
    for (const { name, filter, expected } of FILTERS) {
      const seqs = async (order: 'asc' | 'desc') => (await allEntries(store, 'a', { filter, order })).map((e) => e.seq);
      assert.deepEqual(await seqs('asc'), expected, name);
      assert.deepEqual(await seqs('desc'), expected.toReversed(), name);
      assert.deepEqual(plain(await store.count('a', filter, 60_000)), { total: expected.length, exact: true }, name);
    }
  });

  test('a pattern that is none is refused by name', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', LINES);
    const filter = { search: '(', regex: true };
    await rejectsWith('invalid_filter', () => store.read('a', { filter, limit: 10 }));
    await rejectsWith('invalid_filter', () => store.count('a', filter, 1_000));
    await rejectsWith('invalid_filter', () => store.histogram('a', { filter, buckets: 10 }));
  });

  test('a page is the JSON of its entries in wire form', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', LINES);
    const page = await store.read('a', { limit: 10 });
    const wire = LINES.map((draft, i) => entryJson('a', i + 1, draft));
    assert.deepEqual(JSON.parse(page.json), JSON.parse(`[${wire.join(',')}]`));
    assert.deepEqual(
      plain(page.entries),
      LINES.map((draft, i) => entryOf('a', i + 1, draft)),
    );
  });

  test('every window, offset and limit answers its slice of the lines, from either end', async (t) => {
    const { store } = await withTask(t, open);
    const filter: LogFilter = { levels: ['WARNING'] };
    await stored(
      store,
      'a',
      numbered(20, (n) => ({ level: n % 3 === 0 ? 'INFO' : 'WARNING' })),
    );
    for (const order of ['asc', 'desc'] as const)
      for (const after of [0, 5, 20, 25])
        for (const before of [undefined, 1, 6, 15, 21, 30])
          for (const offset of [0, 3, 50])
            for (const limit of [1, 4, 50]) {
              const window = { order, after, offset, limit, filter, ...(before !== undefined && { before }) };
              const seqs = Array.from({ length: 20 }, (_, i) => i + 1).filter(
                (seq) => seq % 3 !== 0 && seq > after && seq < (before ?? 99),
              );
              if (order === 'desc') seqs.reverse();
              const page = await store.read('a', window);
              const found = page.entries.map((entry) => entry.seq);
              assert.deepEqual(found, seqs.slice(offset, offset + limit), JSON.stringify(window));
              assert.equal(page.skipped, Math.min(offset, seqs.length), JSON.stringify(window));
              const rest = await allEntries(store, 'a', window);
              assert.deepEqual(
                rest.map((entry) => entry.seq),
                seqs.slice(offset),
                JSON.stringify(window),
              );
            }
  });

  test('the previous page is before=S&order=desc', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', numbered(30));
    const shown = await store.read('a', { after: 20, limit: 5 });
    const previous = await store.read('a', { before: Number(shown.firstSeq), order: 'desc', limit: 5 });
    assert.deepEqual([shown.firstSeq, shown.lastSeq], [21, 25]);
    assert.deepEqual([previous.firstSeq, previous.lastSeq, previous.scannedTo], [16, 20, 16]);
    assert.deepEqual(
      previous.entries.map((entry) => entry.seq),
      [20, 19, 18, 17, 16],
    );
  });

  test('an empty window is done at once and never sends a reader back', async (t) => {
    const { store } = await withTask(t, open);
    const empty = { json: '[]', count: 0, firstSeq: null, lastSeq: null, skipped: 0, done: true };
    const facts = async (query: object) => {
      const { json, count, firstSeq, lastSeq, skipped, done, scannedTo } = await store.read('a', {
        limit: 5,
        ...query,
      });
      assert.deepEqual({ json, count, firstSeq, lastSeq, skipped, done }, empty, JSON.stringify(query));
      return scannedTo;
    };
    assert.equal(await facts({}), 0);
    assert.equal(await facts({ after: 3 }), 3);
    assert.equal(await facts({ order: 'desc' }), 1);
    await stored(store, 'a', numbered(10));
    assert.equal(await facts({ after: 10 }), 10);
    assert.equal(await facts({ after: 25 }), 25);
    assert.equal(await facts({ after: 4, before: 5 }), 4);
    assert.equal(await facts({ after: 7, before: 3 }), 7);
    assert.equal(await facts({ before: 1, order: 'desc' }), 1);
    assert.equal(await facts({ after: 10, order: 'desc' }), 11);
  });

  test('a page that is done has looked at its whole window', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', numbered(10));
    const filter: LogFilter = { search: 'line 4' };
    const last = async (query: object) =>
      (await allPages(store, 'a', { filter, limit: 5, ...query })).at(-1)?.scannedTo;
    assert.equal(await last({}), 10);
    assert.equal(await last({ after: 2 }), 10);
    assert.equal(await last({ before: 8 }), 7);
    assert.equal(await last({ before: 800 }), 10, 'lines that are still to come were not looked at');
    assert.equal(await last({ order: 'desc' }), 1);
    assert.equal(await last({ order: 'desc', after: 2 }), 3);
  });

  test('a reader who goes on after what it looked at meets each new line once', async (t) => {
    const { store } = await withTask(t, open);
    const filter: LogFilter = { levels: ['ERROR'] };
    const met: number[] = [];
    let after = 0;
    for (let round = 0; round < 8; round++) {
      await stored(
        store,
        'a',
        numbered(round, (n) => ({ level: (round + n) % 2 === 0 ? 'ERROR' : 'INFO' })),
      );
      for (const page of await allPages(store, 'a', { filter, after, limit: 2 })) {
        met.push(...page.entries.map((entry) => entry.seq));
        after = page.scannedTo;
      }
      assert.equal(after, (await store.task('a')).log.lastSeq);
    }
    const errors = await allEntries(store, 'a', { filter });
    assert.deepEqual(
      met,
      errors.map((entry) => entry.seq),
    );
    assert.ok(met.length > 5);
  });

  test('a filter that nothing among 12,000 lines passes is done after short reads, from either end', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', numbered(12_000));
    for (const filter of [{ search: 'nowhere' }, { levels: ['ERROR'] }, { search: 'x$', regex: true }] as LogFilter[]) {
      for (const [order, end] of [
        ['asc', 12_000],
        ['desc', 1],
      ] as const) {
        const pages = await allPages(store, 'a', { filter, order, limit: 100 });
        assert.deepEqual([pages.flatMap((page) => page.entries).length, pages.at(-1)?.scannedTo], [0, end]);
      }
    }
  });

  test('a page holds READ_ROWS lines at most, and the next goes on where it stopped', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', numbered(12_000));
    const page = await store.read('a', { limit: READ_ROWS });
    // Fewer where the time of a read was up first.
    assert.ok(page.count > 0 && page.count <= READ_ROWS, `${page.count} lines`);
    assert.deepEqual([page.scannedTo, page.done], [page.count, false]);
    for (const order of ['asc', 'desc'] as const) {
      const seqs = (await allEntries(store, 'a', { order, limit: READ_ROWS, offset: 6_000 })).map((entry) => entry.seq);
      assert.deepEqual(
        [seqs.length, seqs[0], seqs.at(-1)],
        order === 'asc' ? [6_000, 6_001, 12_000] : [6_000, 6_000, 1],
      );
    }
  });

  test('a page ends with the line that fills it, in bytes too, and the next goes on where it stopped', async (t) => {
    const { store } = await withTask(t, open);
    const long = 'x'.repeat(10_000);
    await stored(
      store,
      'a',
      numbered(50, () => ({ message: long, level: 'ERROR' })),
    );
    for (const order of ['asc', 'desc'] as const) {
      for (const filter of [{}, { levels: ['ERROR'] }, { search: 'xxx' }] as LogFilter[]) {
        const first = await store.read('a', { limit: 1_000, maxBytes: 25_000, order, filter });
        assert.deepEqual([first.count, first.done], [3, false]);
        assert.equal(first.scannedTo, order === 'asc' ? 3 : 48);
        const window = order === 'asc' ? { after: first.scannedTo } : { before: first.scannedTo };
        const second = await store.read('a', { limit: 1_000, order, filter, ...window });
        assert.deepEqual([second.count, second.done], [47, true]);
      }
    }
    for (const filter of [{}, { levels: ['ERROR'] }] as LogFilter[]) {
      const none = await store.read('a', { limit: 0, filter });
      assert.deepEqual([none.count, none.scannedTo, none.done], [0, 0, false]);
    }
    const tiny = await store.read('a', { limit: 10, maxBytes: 1 });
    assert.deepEqual([tiny.count, tiny.firstSeq, tiny.done], [1, 1, false]);
  });
}
