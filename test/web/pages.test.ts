import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinePages, PAGE_ROWS } from '../../src/web/lib/pages.ts';

function pages(options: { maxPages?: number; maxChars?: number } = {}): LinePages<string> {
  return new LinePages({ maxPages: 3, maxChars: 1_000_000, charsOf: (row) => row.length, ...options });
}

function rows(start: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `row ${start + index}`);
}

test('what was put is found at its position', () => {
  const held = pages();
  held.put(0, rows(0, 250));
  assert.equal(held.at(249), 'row 249');
  assert.equal(held.at(250), undefined);
});

test('the missing part begins where the page ends that is partly here', () => {
  const held = pages();
  held.put(0, rows(0, 50));
  assert.deepEqual(held.missing({ start: 10, count: 100 }), { start: 50, count: PAGE_ROWS - 50 });
  assert.equal(held.missing({ start: 10, count: 40 }), undefined);
});

test('rows that do not touch their page are left to be read again', () => {
  const held = pages();
  held.put(30, rows(30, 1));
  assert.equal(held.at(30), undefined);
  assert.deepEqual(held.missing({ start: 30, count: 1 }), { start: 0, count: PAGE_ROWS });
});

test('the page that was not used for longest goes first', () => {
  const held = pages();
  for (const page of [0, 1, 2]) held.put(page * PAGE_ROWS, rows(page * PAGE_ROWS, PAGE_ROWS));
  held.missing({ start: 0, count: 1 });
  held.put(3 * PAGE_ROWS, rows(3 * PAGE_ROWS, 1));
  assert.equal(held.at(0), 'row 0');
  assert.equal(held.at(PAGE_ROWS), undefined);
});

test('few huge lines push pages out as well as many small ones', () => {
  const held = pages({ maxPages: 100, maxChars: 3_000 });
  for (const page of [0, 1, 2, 3]) held.put(page * PAGE_ROWS, ['x'.repeat(1_000)]);
  assert.equal(held.at(0), undefined);
  assert.equal(held.at(3 * PAGE_ROWS)?.length, 1_000);
});

test('whatever is put and asked, a row that is here is the right one and memory stays bounded', () => {
  const step = fc.record({ start: fc.nat(3_000), count: fc.nat(400) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const held = pages();
      for (const { start, count } of steps) {
        held.put(start, rows(start, count));
        const gap = held.missing({ start, count });
        if (gap) held.put(gap.start, rows(gap.start, gap.count));
      }
      for (let at = 0; at < 3_500; at += 1) assert.ok([undefined, `row ${at}`].includes(held.at(at)));
      assert.ok(held.size <= 3 * PAGE_ROWS);
    }),
  );
});
