import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '../../../src/core/time.ts';
import { Places } from '../../../src/outlet/alerts/places.ts';

test('the task that was looked at longest ago is forgotten first, and from then on only newer lines count', () => {
  const places = new Places();
  places.begin(isoTime(500), 7);
  for (let n = 0; n < 2_000; n++)
    places.set(`task-${n}`, { seq: n, ended: n % 2 === 0, number: 10 + n, seenMs: 1_000 + n, counted: [] });
  places.set('task-0', { seq: 1, ended: true, number: 10, seenMs: 9_000, counted: [] });
  assert.deepEqual([places.from, places.number], [isoTime(500), 7]);
  places.set('task-new', { seq: 1, ended: true, number: 9_999, seenMs: 9_001, counted: [] });
  assert.equal(places.of('task-1'), undefined);
  assert.equal(places.of('task-0')?.seq, 1);
  assert.deepEqual([places.from, places.number], [isoTime(1_001), 11]);
  const again = new Places();
  again.read(JSON.parse(JSON.stringify(places.write())));
  assert.deepEqual(again.write(), places.write());
});

test('many rules that counted the same tasks make it remember fewer', () => {
  const places = new Places();
  const rest = { ended: false, number: 1 };
  const counted = Array.from({ length: 200 }, (_, n) => `rule-${n}`);
  for (let n = 0; n < 150; n++) places.set(`task-${n}`, { ...rest, seq: 1, seenMs: n, counted });
  places.set('task-149', { ...rest, seq: 2, seenMs: 150, counted });
  assert.equal(places.of('task-49'), undefined);
  assert.equal(places.of('task-50')?.counted.length, 200);
  for (let n = 50; n < 150; n++) places.forget(`task-${n}`);
  for (let n = 0; n < 2_000; n++)
    places.set(`other-${n}`, { ...rest, seq: 1, seenMs: n, counted: counted.slice(0, 10) });
  assert.ok(places.of('other-0'));
});
