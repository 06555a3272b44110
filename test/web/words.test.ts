import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../src/web/lib/backoff.ts';
import { readBase, readRoute, taskPath } from '../../src/web/lib/route.ts';
import { count, hue, plural, progressOf, size } from '../../src/web/lib/text.ts';
import { ago, duration, lineTime, zoneName } from '../../src/web/lib/time.ts';
import { logViewParams, readLogView, toggled, withPart } from '../../src/web/lib/view.ts';

test('an address leads to its screen, with and without a prefix', () => {
  assert.deepEqual(readRoute('/', '/'), { screen: 'tasks' });
  assert.deepEqual(readRoute('/t/task-1.2', '/'), { screen: 'task', taskId: 'task-1.2' });
  assert.deepEqual(readRoute('/logs/t/a%3Ab/', readBase('logs')), { screen: 'task', taskId: 'a:b' });
  assert.deepEqual(readRoute('/logs', '/logs/'), { screen: 'tasks' });
  for (const path of ['/t/', '/t/a/b', '/other', '/t/%E0%A4%A'])
    assert.deepEqual(readRoute(path, '/'), { screen: 'missing', path });
  assert.equal(readRoute('/t/a', '/logs/').screen, 'missing');
});

test('a task’s path is read back to its id', () => {
  for (const taskId of ['a', 'task-1737737400.123', 'a:b_c'])
    assert.deepEqual(readRoute(taskPath('/x/', taskId), '/x/'), { screen: 'task', taskId });
});

test('the view of a log comes back from its address', () => {
  const view = {
    filter: { levels: ['WARNING', 'ERROR'], sources: ['git'], search: 'a b&c' },
    lines: { from: 12, to: 14 },
    at: 7,
    find: { text: 'a+b', matchCase: true, wholeWord: false, regex: true, only: 3 },
    pins: ['user.id', '["odd key"][0]'],
    wrap: true,
    full: true,
    histogram: false,
    outline: true,
    time: 'since start',
  } as const;
  assert.deepEqual(readLogView(logViewParams(view)), view);
  assert.deepEqual(readLogView(new URLSearchParams('from=140&to=120')).lines, { from: 120, to: 140 });
  const times = readLogView(new URLSearchParams('from=2026-01-24T10:00:00Z&to=1800000000000'));
  assert.equal(times.lines, null);
  assert.equal(times.filter.from, '2026-01-24T10:00:00.000Z');
});

test('what is wrong in an address is left out', () => {
  const { filter, ...rest } = readLogView(
    new URLSearchParams('level=LOUD&seq=-4&at=x&only=y&time=noon&find_as=case&pin=a..b'),
  );
  assert.deepEqual(filter, {});
  const nothing = {
    lines: null,
    at: null,
    find: null,
    pins: [],
    wrap: false,
    full: false,
    histogram: null,
    outline: null,
    time: null,
  };
  assert.deepEqual(rest, nothing);
});

test('choosing a value twice takes it back, and nothing chosen lets everything pass', () => {
  assert.deepEqual(toggled(undefined, 'a'), ['a']);
  assert.deepEqual(toggled(['a'], 'b'), ['a', 'b']);
  assert.equal(toggled(['a'], 'a'), undefined);
  assert.deepEqual(withPart({ search: 'x' }, 'search', ''), {});
});

test('waits double from half a second to four for a minute, then to fifteen, and are never equal for everyone', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 18, 19, 20, 60].map((attempt) => backoffMs(attempt, () => 0)),
    [500, 1_000, 2_000, 4_000, 4_000, 4_000, 8_000, 15_000, 15_000],
  );
  assert.equal(
    backoffMs(60, () => 0.999),
    11_254,
  );
  const firstMinute = Array.from({ length: 17 }, (_, n) => backoffMs(n + 1, () => 0.5));
  assert.ok(firstMinute.reduce((sum, ms) => sum + ms) >= 50_000);
});

test('a line’s time is local, UTC, or since the start', () => {
  const iso = '2026-01-24T10:00:04.120Z';
  const nowMs = Date.parse(iso) + 90_000;
  const frame = (startIso: string | null, offsetMinutes: number) => ({ startIso, nowMs, offsetMinutes });
  assert.equal(lineTime(iso, 'relative', frame(null, 0)), '1m ago');
  assert.equal(lineTime(iso, 'utc', frame(null, 330)), '10:00:04.120');
  assert.equal(lineTime(iso, 'local', frame(null, 330)), '15:30:04.120');
  assert.equal(lineTime(iso, 'since start', frame('2026-01-24T10:00:00.000Z', 0)), '+00:04.120');
  assert.equal(lineTime(iso, 'since start', frame('2026-01-24T07:59:00.000Z', 0)), '+2:01:04.120');
  assert.equal(lineTime(iso, 'since start', frame('2026-01-24T10:00:05.120Z', 0)), '-00:01.000');
  assert.equal(zoneName('local', -210), 'UTC-03:30');
  assert.equal(zoneName('utc', 60), 'UTC');
});

test('spans and ages are short', () => {
  assert.deepEqual(
    [0, 420, 4_240, 59_999, 187_000, 8_047_000, 266_400_000].map((ms) => duration(ms)),
    ['0 ms', '420 ms', '4.2 s', '59 s', '3m 07s', '2h 14m', '3d 02h'],
  );
  const now = Date.parse('2026-01-24T10:00:00Z');
  assert.equal(ago('2026-01-24T09:59:58Z', now), 'just now');
  assert.equal(ago('2026-01-24T09:10:00Z', now), '50m ago');
  assert.equal(ago('2025-12-24T09:10:00Z', now), '2025-12-24');
});

test('numbers are written for people', () => {
  assert.equal(count(12_408), '12,408');
  assert.equal(count(10_000, false), '10,000+');
  assert.equal(plural(1, 'new line'), '1 new line');
  assert.equal(size(38_400), '38 KB');
});

test('a source keeps its hue', () => {
  assert.equal(hue('git'), hue('git'));
  for (const name of ['git', 'system', '', '😀']) assert.ok(hue(name) >= 0 && hue(name) < 360);
});

test('progress is a number from 0 to 100 or nothing', () => {
  assert.deepEqual(
    [{ progress: 42 }, { progress: 900 }, { progress: -1 }, { progress: '5' }, { progress: Number.NaN }, null, {}].map(
      progressOf,
    ),
    [42, 100, 0, null, null, null, null],
  );
});
