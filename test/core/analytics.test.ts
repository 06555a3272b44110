import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AnalyticsAsked, analyticsQuery, type FigurePart } from '../../src/core/analytics.ts';
import { csvRow } from '../../src/core/csv.ts';
import { bucketOf, bucketsOf, Durations, secondsOf } from '../../src/core/durations.ts';
import { errorStart, Failures } from '../../src/core/failures.ts';
import { type FigureRow, Summing } from '../../src/core/figures.ts';
import { ANALYTICS_GROUPS_MAX, ANALYTICS_PARTS, ANALYTICS_PARTS_READ, ERROR_CHARS } from '../../src/core/limits.ts';

const NOW_MS = Date.parse('2026-03-01T15:30:00.000Z');
const seconds = fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 9e15, noNaN: true }), fc.nat(1_000));

test('a time that nobody names is the last 30 days, the day of the last moment as a whole', () => {
  const range = (asked: AnalyticsAsked) => {
    const { from, to } = analyticsQuery(asked, NOW_MS);
    return [from, to];
  };
  assert.deepEqual(range({}), ['2026-01-31T00:00:00.000Z', '2026-03-02T00:00:00.000Z']);
  assert.deepEqual(range({ from: '2026-02-28T12:00' }), ['2026-02-28T12:00:00.000Z', '2026-03-02T00:00:00.000Z']);
  assert.deepEqual(range({ to: '2026-02-01' }), ['2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00.000Z']);
  assert.deepEqual(range({ to: '2026-02-01T00:00:00.001Z' })[0], '2026-01-03T00:00:00.000Z');
  assert.deepEqual(range({ to: '0000-01-02' })[0], '0000-01-01T00:00:00.000Z');
});

test('a time that is none, or that ends before it begins, is refused by its name', () => {
  for (const [asked, path] of [
    [{ from: 'yesterday' }, 'from'],
    [{ to: '2026-02-31' }, 'to'],
    [{ from: '2026-01-02', to: '2026-01-02' }, 'from'],
    [{ from: '2027-01-01' }, 'from'],
  ] as const) {
    const refused = { code: 'invalid_parameter', message: new RegExp(`^${path}: expected `) };
    assert.throws(() => analyticsQuery(asked, NOW_MS), refused);
  }
});

test('a duration is known by its bucket to 2.5 %, whatever it is', () => {
  fc.assert(
    fc.property(seconds, (duration) => {
      const known = secondsOf(bucketOf(duration));
      assert.ok(duration === 0 ? known === 0 : Math.abs(known / duration - 1) < 0.0253, `${duration}: ${known}`);
    }),
  );
});

test('percentiles are the nearest ranks, exact while no duration is known by its bucket only', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(seconds)),
      fc.array(seconds),
      fc.integer({ min: 1, max: 100 }),
      (lists, gone, percent) => {
        const durations = new Durations();
        for (const list of lists) durations.add(list);
        durations.addBuckets(bucketsOf(gone));
        const sorted = [...lists.flat(), ...gone].sort((a, b) => a - b);
        const [got = null] = durations.percentiles([percent]);
        const expected = sorted.find((_, index) => (index + 1) * 100 >= percent * sorted.length) ?? null;
        assert.equal(durations.exact, gone.length === 0);
        if (gone.length === 0 || expected === null || got === null) assert.equal(got, expected);
        else assert.ok(Math.abs(got - expected) <= 0.0253 * expected, `${got}, expected about ${expected}`);
      },
    ),
  );
});

test('more groups than are told apart become other: words with the fewest runs, the oldest days', () => {
  const many = ANALYTICS_GROUPS_MAX * 3;
  const bySource = new Summing({ groupBy: 'source' });
  const byDay = new Summing({ groupBy: 'day' });
  for (let n = 0; n < many; n += 1) {
    const day = new Date(Date.parse('2000-01-01') + n * 86_400_000).toISOString().slice(0, 10);
    for (const summing of [bySource, byDay]) summing.add(row({ day, source: `s${n}` }));
    bySource.add(row({ day, source: 'common' }));
  }
  const sources = bySource.figures();
  assert.deepEqual([sources.groups.length, sources.total.runs], [ANALYTICS_GROUPS_MAX, 2 * many]);
  const firstTwo = sources.groups.slice(0, 2).map(({ key, runs }) => [key, runs]);
  assert.deepEqual(firstTwo, [
    ['common', many],
    ['other', many - (ANALYTICS_GROUPS_MAX - 2)],
  ]);
  const days = byDay.figures();
  assert.equal(days.groups.length, ANALYTICS_GROUPS_MAX);
  assert.deepEqual([days.groups.at(-1)?.key, days.groups.at(-1)?.runs], ['other', many - (ANALYTICS_GROUPS_MAX - 1)]);
  assert.equal(days.groups.at(-2)?.key, '2008-03-18');
});

test('the parts of groups are told by the dearest words of all, the rest as other, and add up to the group', () => {
  const summing = new Summing({ groupBy: 'day', splitBy: 'model' });
  const models = ANALYTICS_PARTS_READ * 2;
  for (let n = 0; n < models; n += 1) {
    summing.add(row({ day: '2026-01-01', model: `m${n}`, costUsd: n }));
    if (n < 3) summing.add(row({ day: '2026-01-02', model: `m${n}`, costUsd: 1000 }));
  }
  const [first, second] = summing.figures().groups;
  const keys = first?.parts?.map(({ key }) => key) ?? [];
  assert.deepEqual([keys.length, keys.slice(0, 3), keys.at(-1)], [ANALYTICS_PARTS + 1, ['m2', 'm1', 'm0'], 'other']);
  const cost = (parts: readonly FigurePart[] = []) => parts.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
  assert.equal(cost(first?.parts), first?.costUsd);
  assert.equal(cost(second?.parts), 3000);
  assert.equal(second?.parts?.length, 3);
});

test('failures are counted by their reason, the most frequent first, with the newest task of each', () => {
  const failures = new Failures<string>();
  for (const [id, error] of [
    ['d', 'timed out after 300 s'],
    ['c', null],
    ['b', 'timed out after 5 s'],
    ['a', 'timed out after 300 s'],
  ] as const) {
    failures.add(id, error);
  }
  assert.deepEqual(failures.top(), [
    { template: 'timed out after <n> s', count: 3, id: 'd', example: 'timed out after 300 s' },
    { template: null, count: 1, id: 'c', example: null },
  ]);
  assert.equal(errorStart(`${'x'.repeat(ERROR_CHARS - 1)}😀 and more`), `${'x'.repeat(ERROR_CHARS - 1)}😀`);
});

test('a cell of CSV is quoted where it must be, and no text is a formula', () => {
  const values = [
    null,
    undefined,
    -1.5,
    true,
    'plain',
    'a,b',
    'say "hi"',
    'two\nlines',
    '=1+1',
    '+1',
    '-1',
    '@x',
    '\tx',
    '\rx',
  ];
  assert.equal(
    csvRow(values),
    `,,-1.5,true,plain,"a,b","say ""hi""","two\nlines","'=1+1","'+1","'-1","'@x","'\tx","'\rx"\r\n`,
  );
});

function row(over: Partial<FigureRow>): FigureRow {
  return {
    ...{ day: '2026-01-01', source: 'cli', agent: null, model: null, status: 'completed', runs: 1, costUsd: null },
    ...{ inputTokens: null, outputTokens: null, cacheReadTokens: null, cacheCreationTokens: null, lines: 0, errors: 0 },
    ...{ durations: [], buckets: {} },
    ...over,
  };
}
