import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ENTRY_TYPES, STREAMS } from '../../src/core/entry.ts';
import { TrailError } from '../../src/core/error.ts';
import {
  FILTER_KEYS,
  filterKey,
  filterParams,
  isOpenFilter,
  type LogFilter,
  parseFilter,
  type RawFilter,
  readsMessages,
} from '../../src/core/filter.ts';
import { LEVELS } from '../../src/core/level.ts';
import { SEARCH_CHARS } from '../../src/core/limits.ts';
import { predicate } from '../../src/core/predicate.ts';

test('no parameter means no filter, whether left out, null or empty', () => {
  for (const value of [undefined, null, '', ',']) {
    const raw = Object.fromEntries(
      FILTER_KEYS.filter((key) => value !== ',' || isList(key)).map((key) => [key, value]),
    );
    assert.deepEqual(parseFilter(raw), {}, String(value));
  }
  assert.ok(isOpenFilter(parseFilter({})));
  assert.ok(!isOpenFilter({ levels: [] }));
});

test('lists may repeat, use commas, or both', () => {
  const expected = { sources: ['git', 'npm', 'system'] };
  for (const source of ['git,npm,system', ['git', 'npm', 'system'], ['git, npm', 'system,git']]) {
    assert.deepEqual(parseFilter({ source }), expected);
  }
  assert.deepEqual(parseFilter({ stream: 'stderr,stdout', type: ['log', 'tool_call'] }), {
    streams: ['stderr', 'stdout'],
    types: ['log', 'tool_call'],
  });
});

test('levels are read as people write them, and min_level keeps those from it on', () => {
  assert.deepEqual(parseFilter({ level: 'error,warn' }), { levels: ['WARNING', 'ERROR'] });
  assert.deepEqual(parseFilter({ level: '30' }), { levels: ['INFO'] });
  assert.deepEqual(parseFilter({ min_level: 'warn' }), { levels: ['WARNING', 'ERROR'] });
  assert.deepEqual(parseFilter({ min_level: 'debug' }), { levels: [...LEVELS] });
  assert.deepEqual(parseFilter({ level: 'debug,error', min_level: 'info' }), { levels: ['ERROR'] });
  assert.deepEqual(parseFilter({ level: 'debug', min_level: 'error' }), { levels: [] });
});

test('search, regex and times are read; regex without search is nothing', () => {
  assert.deepEqual(parseFilter({ search: ' Text, with comma ' }), { search: ' Text, with comma ' });
  assert.deepEqual(parseFilter({ search: 'a|b', regex: 'true' }), { search: 'a|b', regex: true });
  assert.deepEqual(parseFilter({ search: 'a|b', regex: 'false' }), { search: 'a|b' });
  assert.deepEqual(parseFilter({ regex: true }), {});
  assert.deepEqual(parseFilter({ from: '2026-01-24', to: 1_769_248_800_000 }), {
    from: '2026-01-24T00:00:00.000Z',
    to: '2026-01-24T10:00:00.000Z',
  });
  assert.ok(readsMessages({ search: 'a' }) && !readsMessages({ levels: ['INFO'] }));
});

test('a wrong value is refused, and the error names the parameter', () => {
  const wrong: [keyof RawFilter, unknown][] = [
    ['level', 'loud'],
    ['level', ['INFO', 'loud']],
    ['level', '99'],
    ['min_level', 'loud'],
    ['min_level', ['INFO', 'ERROR']],
    ['source', 'a\u0000b'],
    ['source', 'x'.repeat(65)],
    ['stream', 'stdin'],
    ['type', 'logs'],
    ['search', ['a', 'b']],
    ['search', 5],
    ['search', 'x'.repeat(SEARCH_CHARS + 1)],
    ['regex', 'maybe'],
    ['from', 'yesterday'],
    ['to', '2026-02-31'],
  ];
  for (const [name, value] of wrong) {
    assert.throws(
      () => parseFilter({ [name]: value }),
      (error) => {
        assert.ok(error instanceof TrailError);
        const tooLong = typeof value === 'string' && value.length > SEARCH_CHARS;
        assert.equal(error.code, tooLong ? 'query_too_long' : 'invalid_filter');
        assert.ok(error.message.startsWith(`${name}: expected `), error.message);
        assert.ok(error.message.length < 300, 'a long value is not repeated whole');
        assert.deepEqual(
          error.errors?.map((fault) => fault.path),
          [name],
        );
        return true;
      },
    );
  }
});

const times = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString());
const sources = fc.stringMatching(/^[A-Za-z0-9_%&=+#?'"éß😀-]{1,12}$/u);
const searches = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed());
const nonEmpty = { minLength: 1 };
const filters: fc.Arbitrary<LogFilter> = fc
  .record(
    {
      levels: fc.subarray([...LEVELS]),
      sources: fc.uniqueArray(sources, { minLength: 1, maxLength: 4 }),
      streams: fc.subarray([...STREAMS], nonEmpty),
      types: fc.subarray([...ENTRY_TYPES], nonEmpty),
      search: searches,
      regex: fc.constant(true),
      from: times,
      to: times,
    },
    { requiredKeys: [] },
  )
  .map(({ regex, ...filter }) => (regex && filter.search !== undefined ? { ...filter, regex } : filter));

test('a filter goes through a query string and comes back equal', () => {
  fc.assert(
    fc.property(filters, (filter) => {
      const query = new URLSearchParams(filterParams(filter)).toString();
      const back = parseFilter(Object.fromEntries(new URLSearchParams(query)));
      assert.deepEqual(back, filter);
      assert.equal(filterKey(back), filterKey(filter));
    }),
    { numRuns: 500 },
  );
});

test('a filter that lets nothing pass still does so after the way through parameters', () => {
  const line = {
    timestamp: '2026-01-24T10:00:00.000Z',
    source: 's',
    stream: 'stdout',
    type: 'log',
    message: '',
    metadata: null,
  } as const;
  for (const filter of [
    { levels: [] },
    { sources: [] },
    { streams: [] },
    { types: [] },
    { sources: [], levels: LEVELS },
  ]) {
    const passes = predicate(parseFilter(filterParams(filter)));
    for (const level of LEVELS) assert.equal(passes({ ...line, level }), false, JSON.stringify(filter));
  }
});

test('equal filters have one key, whatever the order of their lists; others have another', () => {
  assert.equal(
    filterKey({ sources: ['a', 'b'], levels: ['INFO'] }),
    filterKey({ levels: ['INFO'], sources: ['b', 'a'] }),
  );
  const keys = [
    {},
    { levels: [] },
    { sources: [] },
    { sources: ['a'] },
    { sources: ['a,b'] },
    { sources: ['a', 'b'] },
    { search: 'a' },
    { search: 'a', regex: true },
    { from: 'a' },
    { to: 'a' },
  ].map((filter: LogFilter) => filterKey(filter));
  assert.equal(new Set(keys).size, keys.length);
});

function isList(key: string): boolean {
  return ['level', 'source', 'stream', 'type'].includes(key);
}
