import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireEntry, WireHistogram } from '../../src/core/wire.ts';
import { linesText } from '../../src/web/lib/copy.ts';
import { dividerBetween } from '../../src/web/lib/dividers.ts';
import { brushed, shareOf, spanOf, stackOf } from '../../src/web/lib/histogram.ts';
import { readPlace } from '../../src/web/lib/place.ts';
import { LineRate } from '../../src/web/lib/rate.ts';

const at = (iso: string): number => Date.parse(`${iso}Z`);

test('a place is a line, a time of day, a time ago or a moment', () => {
  const facts = {
    firstMs: at('2026-01-23T22:00:00'),
    lastMs: at('2026-01-24T14:30:00'),
    nowMs: at('2026-01-24T15:00:00'),
    offsetMinutes: 0,
  };
  const cases: readonly [string, unknown][] = [
    ['12000', { seq: 12_000 }],
    [':12', { seq: 12 }],
    ['0', undefined],
    ['14:02', { atMs: at('2026-01-24T14:02:00') }],
    ['14:02:11.5', { atMs: at('2026-01-24T14:02:11.500') }],
    ['23:10', { atMs: at('2026-01-23T23:10:00') }],
    ['21:00', { atMs: at('2026-01-23T21:00:00') }],
    ['-5m', { atMs: at('2026-01-24T14:55:00') }],
    ['-1.5h', { atMs: at('2026-01-24T13:30:00') }],
    ['2026-01-24T14:00:00Z', { atMs: at('2026-01-24T14:00:00') }],
    ['25:00', undefined],
    ['soon', undefined],
    ['', undefined],
  ];
  for (const [text, place] of cases) assert.deepEqual(readPlace(text, facts), place, text);
  const india = { ...facts, offsetMinutes: 330 };
  assert.deepEqual(readPlace('14:02', india), { atMs: at('2026-01-24T08:32:00') });
});

test('dividers stand where the reader left and where the connection came back, and nowhere else', () => {
  const breaks = {
    leftAt: 10,
    returns: [
      { after: 20, lines: 214 },
      { after: 30, lines: 0 },
    ],
  };
  assert.equal(dividerBetween(10, 11, breaks), 'new since you left');
  assert.equal(dividerBetween(7, 15, breaks), 'new since you left');
  assert.equal(dividerBetween(20, 21, breaks), 'reconnected, 214 lines caught up');
  for (const [before, seq] of [
    [9, 10],
    [11, 12],
    [30, 31],
  ] as const)
    assert.equal(dividerBetween(before, seq, breaks), null);
  assert.equal(dividerBetween(0, 1, { leftAt: null, returns: [] }), null);
});

test('the rate counts the lines of the last second', () => {
  const rate = new LineRate();
  assert.equal(rate.add(100, 0), 100);
  assert.equal(rate.add(50, 900), 150);
  assert.equal(rate.add(50, 1_000), 100);
  assert.equal(rate.add(1, 5_000), 1);
});

const ENTRY: WireEntry = {
  id: 't:1',
  seq: 1,
  task_id: 't',
  timestamp: '2026-01-24T10:00:00.000Z',
  level: 'INFO',
  source: 'git',
  stream: null,
  type: 'log',
  message: '\u001b[31mone\u001b[0m',
  metadata: null,
};

test('lines are copied as text, with what stands before it, as JSON, or as a block that nothing in them ends', () => {
  const lines = [ENTRY, { ...ENTRY, seq: 2, message: '```js' }];
  assert.equal(linesText(lines, 'plain'), 'one\n```js');
  assert.equal(linesText(lines.slice(0, 1), 'prefix'), '2026-01-24T10:00:00.000Z INFO [git] one');
  assert.deepEqual(JSON.parse(linesText(lines.slice(0, 1), 'json')), ENTRY);
  assert.equal(linesText(lines, 'fence'), '````\none\n```js\n````');
});

const levels = { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 };
const HISTOGRAM: WireHistogram = {
  from: '2026-01-24T10:00:00.000Z',
  to: '2026-01-24T10:00:09.500Z',
  width_ms: 1_000,
  exact: true,
  buckets: Array.from({ length: 10 }, (_, i) => ({
    timestamp: new Date(at('2026-01-24T10:00:00') + i * 1_000).toISOString(),
    total: i,
    by_level: { ...levels, INFO: i },
  })),
};

test('a drag over the bars takes whole bars, in either direction, and the last moment with the last bar', () => {
  const range = { from: '2026-01-24T10:00:02.000Z', to: '2026-01-24T10:00:05.000Z' };
  assert.deepEqual(brushed(HISTOGRAM, 0.25, 0.45), range);
  assert.deepEqual(brushed(HISTOGRAM, 0.45, 0.25), range);
  assert.equal(brushed(HISTOGRAM, 0.9, 1)?.to, '2026-01-24T10:00:10.001Z');
  const span = spanOf(HISTOGRAM);
  assert.ok(span);
  assert.equal(shareOf(span, at('2026-01-24T10:00:05')), 0.5);
  assert.equal(shareOf(span, 0), 0);
  assert.equal(spanOf({ ...HISTOGRAM, buckets: [] }), null);
});

test('levels stand on each other by their share, and a single line can be seen', () => {
  const bucket = { timestamp: '', total: 4, by_level: { ...levels, ERROR: 1, INFO: 3 } };
  assert.deepEqual(stackOf(bucket, 8), [
    { level: 'ERROR', share: 0.125 },
    { level: 'INFO', share: 0.375 },
  ]);
  const [one] = stackOf({ ...bucket, total: 1, by_level: { ...levels, INFO: 1 } }, 1_000_000);
  assert.ok((one?.share ?? 0) > 0.02);
  assert.deepEqual(stackOf({ ...bucket, total: 0 }, 8), []);
});
