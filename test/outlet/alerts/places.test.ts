import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '../../../src/core/time.ts';
import { Places } from '../../../src/outlet/alerts/places.ts';

test('the task that was looked at longest ago is forgotten first, and from then on only newer lines count', () => {
  const places = new Places();
  places.begin(isoTime(500));
  for (let n = 0; n < 2_000; n++) places.set(`task-${n}`, { seq: n, seenMs: 1_000 + n, counted: [] });
  places.set('task-0', { seq: 1, seenMs: 9_000, counted: [] });
  assert.equal(places.from, isoTime(500));
  places.set('task-new', { seq: 1, seenMs: 9_001, counted: [] });
  assert.equal(places.of('task-1'), undefined);
  assert.equal(places.of('task-0')?.seq, 1);
  assert.equal(places.from, isoTime(1_001));
  const again = new Places();
  again.read(JSON.parse(JSON.stringify(places.write())));
  assert.deepEqual(again.write(), places.write());
  again.begin(isoTime(5));
  assert.equal(again.from, isoTime(1_001));
});

test('many rules that counted the same tasks make it remember fewer', () => {
  const places = new Places();
  const counted = Array.from({ length: 200 }, (_, n) => `rule-${n}`);
  for (let n = 0; n < 150; n++) places.set(`task-${n}`, { seq: 1, seenMs: n, counted });
  places.set('task-149', { seq: 2, seenMs: 150, counted });
  assert.equal(places.of('task-49'), undefined);
  assert.equal(places.of('task-50')?.counted.length, 200);
  for (let n = 50; n < 150; n++) places.forget(`task-${n}`);
  for (let n = 0; n < 2_000; n++) places.set(`other-${n}`, { seq: 1, seenMs: n, counted: counted.slice(0, 10) });
  assert.ok(places.of('other-0'));
});
