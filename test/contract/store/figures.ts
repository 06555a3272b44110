import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Draft } from '../../../src/core/entry.ts';
import type { LogFilter } from '../../../src/core/filter.ts';
import { LEVELS } from '../../../src/core/level.ts';
import { predicate } from '../../../src/core/predicate.ts';
import type { Histogram } from '../../../src/core/query.ts';
import { isoTime } from '../../../src/core/time.ts';
import { line, numbered, type OpenStore, plain, START, stored, withTask } from './support.ts';

/** Counts, stats and histogram. */
export function figuresContract(open: OpenStore): void {
  test('a count is exact, or says that it is at least so many', async (t) => {
    const { store } = await withTask(t, open);
    await stored(
      store,
      'a',
      numbered(6_000, (n) => ({ level: n % 4 === 0 ? 'ERROR' : 'INFO' })),
    );
    assert.deepEqual(plain(await store.count('a', {}, 60_000)), { total: 6_000, exact: true });
    assert.deepEqual(plain(await store.count('a', { levels: ['ERROR'] }, 60_000)), { total: 1_500, exact: true });
    for (const filter of [{ search: '7' }, { search: '[7]', regex: true }] as LogFilter[]) {
      const exact = await store.count('a', filter, 60_000);
      assert.deepEqual(plain(exact), { total: numbered(6_000).filter(predicate(filter)).length, exact: true });
      const hasty = await store.count('a', filter, 0);
      assert.ok(hasty.exact ? hasty.total === exact.total : hasty.total <= exact.total);
    }
  });

  test('totals count what was ever stored and lost, deleted tasks included', async (t) => {
    const { store } = await withTask(t, open);
    assert.deepEqual(plain(await store.totals()), { entries: 0, lost: 0 });
    await stored(store, 'a', numbered(1_500), { lost: 3 });
    await store.deleteTask('a', 'a test');
    assert.deepEqual(plain(await store.totals()), { entries: 1_500, lost: 3 });
    await store.check();
  });

  test('stats of a task without lines are zero, not missing', async (t) => {
    const { store } = await withTask(t, open);
    assert.deepEqual(plain(await store.stats('a')), {
      total: 0,
      byLevel: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 },
      bySource: {},
      byStream: {},
      byType: {},
      firstTimestamp: null,
      lastTimestamp: null,
      lost: 0,
    });
  });

  test('stats count by level, source, stream and type, with the earliest and latest time', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', [
      line('1', { timestamp: '2026-01-24T10:00:05.000Z', source: 'git', stream: 'stdout', type: 'output' }),
      line('2', { timestamp: '2026-01-24T10:00:09.000Z', source: '__proto__', stream: 'stderr', level: 'ERROR' }),
    ]);
    await stored(
      store,
      'a',
      [
        line('3', { timestamp: '2026-01-24T10:00:01.000Z', source: 'constructor', level: 'DEBUG', type: 'result' }),
        line('4', { timestamp: '2026-01-24T10:00:03.000Z', source: 'git', stream: 'stdout' }),
      ],
      { lost: 3 },
    );
    const { bySource, ...rest } = await store.stats('a');
    // Compared as text: a source may be called as something that every object has.
    assert.deepEqual(Object.entries(bySource).map(String).sort(), ['__proto__,1', 'constructor,1', 'git,2']);
    assert.deepEqual(plain(rest), {
      total: 4,
      byLevel: { DEBUG: 1, INFO: 2, WARNING: 0, ERROR: 1 },
      byStream: { stdout: 2, stderr: 1, none: 1 },
      byType: { output: 1, log: 2, result: 1 },
      firstTimestamp: '2026-01-24T10:00:01.000Z',
      lastTimestamp: '2026-01-24T10:00:09.000Z',
      lost: 3,
    });
  });

  test('stats over many blocks and appends are those of all lines', async (t) => {
    const { store } = await withTask(t, open);
    const drafts = numbered(5_000, (n) => ({ source: `s${n % 7}`, level: LEVELS[n % 4] ?? 'INFO' }));
    for (let start = 0; start < drafts.length; start += 613) await stored(store, 'a', drafts.slice(start, start + 613));
    const stats = plain(await store.stats('a'));
    assert.deepEqual(stats.byLevel, { DEBUG: 1_250, INFO: 1_250, WARNING: 1_250, ERROR: 1_250 });
    const bySource = Array.from({ length: 7 }, (_, i) => [`s${i}`, drafts.filter((d) => d.source === `s${i}`).length]);
    assert.deepEqual(stats.bySource, Object.fromEntries(bySource));
    assert.deepEqual([stats.firstTimestamp, stats.lastTimestamp], [drafts[0]?.timestamp, drafts.at(-1)?.timestamp]);
  });

  test('a histogram without lines has no buckets', async (t) => {
    const { store } = await withTask(t, open);
    const none = async (filter: LogFilter) => {
      const { from, to, buckets, exact } = await store.histogram('a', { filter, buckets: 10 });
      assert.deepEqual(plain([from, to, buckets, exact]), [null, null, [], true]);
    };
    await none({});
    await stored(store, 'a', [line('one')]);
    await none({ search: 'two' });
  });

  test('a histogram counts each line that matches in one bucket of equal width', async (t) => {
    const { store } = await withTask(t, open);
    const startMs = Date.parse(START);
    const drafts = Array.from({ length: 2_500 }, (_, i) =>
      // Out of order, in clusters, with both ends in the middle of the task.
      line(`line ${i}`, { timestamp: isoTime(startMs + ((i * 7_919) % 1_000) ** 2), level: LEVELS[i % 3] ?? 'INFO' }),
    );
    await stored(store, 'a', drafts);
    const filters: LogFilter[] = [
      {},
      { levels: ['INFO', 'DEBUG'] },
      { search: '9' },
      { from: isoTime(startMs + 5_000) },
    ];
    for (const filter of filters)
      for (const buckets of [1, 7, 60, 1_000]) {
        const matching = drafts.filter(predicate(filter));
        checkHistogram(plain(await store.histogram('a', { filter, buckets })), matching, buckets);
      }
  });

  test('a histogram of a short span is as fine as a millisecond, and no finer', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', [line('same'), line('moment')]);
    const one = plain(await store.histogram('a', { filter: {}, buckets: 50 }));
    const buckets = [{ timestamp: START, total: 2, byLevel: { DEBUG: 0, INFO: 2, WARNING: 0, ERROR: 0 } }];
    assert.deepEqual(one, { from: START, to: START, widthMs: 1, exact: true, buckets });
    const drafts = numbered(11);
    await stored(store, 'a', drafts);
    const all = [line('same'), line('moment'), ...drafts];
    for (const wanted of [1, 3, 10, 11, 50]) {
      checkHistogram(plain(await store.histogram('a', { filter: {}, buckets: wanted })), all, wanted);
    }
  });
}

function checkHistogram(histogram: Histogram, matching: readonly Draft[], wanted: number): void {
  const times = matching.map((draft) => draft.timestamp).sort();
  const { from, to, widthMs, buckets, exact } = histogram;
  assert.deepEqual([from, to, exact], [times[0], times.at(-1), true]);
  assert.ok(buckets.length >= 1 && buckets.length <= wanted, `1–${wanted} buckets, got ${buckets.length}`);
  assert.ok(Number.isInteger(widthMs) && widthMs >= 1);
  const fromMs = Date.parse(String(from));
  buckets.forEach((bucket, i) => {
    assert.equal(bucket.timestamp, isoTime(fromMs + i * widthMs));
    const end = i === buckets.length - 1 ? undefined : isoTime(fromMs + (i + 1) * widthMs);
    const inside = matching.filter((d) => d.timestamp >= bucket.timestamp && (end === undefined || d.timestamp < end));
    assert.equal(bucket.total, inside.length);
    for (const level of LEVELS) {
      assert.equal(bucket.byLevel[level], inside.filter((draft) => draft.level === level).length);
    }
  });
  assert.ok(String(to) >= String(buckets.at(-1)?.timestamp), 'the last bucket holds the latest line');
  assert.ok(Date.parse(String(to)) - Date.parse(String(buckets.at(-1)?.timestamp)) <= widthMs);
  assert.equal(
    buckets.reduce((sum, bucket) => sum + bucket.total, 0),
    matching.length,
  );
}
