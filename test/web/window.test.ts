import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  MAX_ROWS,
  maxTopPx,
  rowAtPx,
  rowsTopPx,
  rowTopPx,
  type Sheet,
  SPACER_PX,
  scrollOfTop,
  spacerPx,
  topAfterScroll,
  visibleRows,
} from '../../src/web/lib/window.ts';

function sheet(rows: number, opened: Sheet['opened'] = []): Sheet {
  return { rows, rowPx: 20, viewPx: 600, opened };
}

const sheets = fc
  .record({
    rows: fc.integer({ min: 1, max: 10_000_000 }),
    opened: fc.uniqueArray(fc.record({ row: fc.nat(5_000), extraPx: fc.integer({ min: 1, max: 400 }) }), {
      selector: ({ row }) => row,
      maxLength: 6,
    }),
  })
  .map(({ rows, opened }) =>
    sheet(
      rows,
      opened.filter(({ row }) => row < rows).sort((a, b) => a.row - b.row),
    ),
  );

test('the row at a row’s beginning is that row, opened rows or not', () => {
  fc.assert(
    fc.property(sheets, fc.nat(), (list, seed) => {
      const row = seed % list.rows;
      const topPx = rowTopPx(list, row);
      assert.equal(rowAtPx(list, topPx), row);
      assert.equal(rowAtPx(list, topPx + list.rowPx - 1), row);
    }),
  );
});

test('every row can be brought to the top or lies in the last view, in ten million lines too', () => {
  fc.assert(
    fc.property(sheets, fc.nat(), (list, seed) => {
      const row = seed % list.rows;
      const { first, count } = visibleRows(list, Math.min(rowTopPx(list, row), maxTopPx(list)));
      assert.ok(row >= first && row < first + count);
      assert.ok(count <= MAX_ROWS);
    }),
  );
});

test('the box stays below the height that browsers lay out exactly', () => {
  assert.equal(spacerPx(sheet(10_000_000)), SPACER_PX);
  assert.equal(spacerPx(sheet(1_000)), 20_000);
});

test('the scrollbar’s ends are the list’s ends', () => {
  const list = sheet(10_000_000);
  assert.equal(scrollOfTop(list, 0), 0);
  assert.equal(scrollOfTop(list, maxTopPx(list)), SPACER_PX - 600);
  assert.equal(topAfterScroll(list, 1_000_000, { fromPx: 50_000, toPx: 0 }), 0);
  assert.equal(topAfterScroll(list, 5, { fromPx: 5, toPx: SPACER_PX - 600 }), maxTopPx(list));
});

test('a wheel notch moves as many rows in ten million lines as in a hundred', () => {
  for (const list of [sheet(100), sheet(10_000_000)])
    assert.equal(topAfterScroll(list, 400, { fromPx: 400, toPx: 500 }), 500);
});

test('a drag of the scrollbar reaches its share of the list', () => {
  const list = sheet(10_000_000);
  const half = (SPACER_PX - 600) / 2;
  assert.equal(Math.round(topAfterScroll(list, 0, { fromPx: 0, toPx: half })), Math.round(maxTopPx(list) / 2));
});

test('the rows are drawn where the view is, however far the scrollbar has come', () => {
  fc.assert(
    fc.property(sheets, fc.double({ min: 0, max: 1, noNaN: true }), (list, share) => {
      const topPx = share * maxTopPx(list);
      const scrollPx = scrollOfTop(list, topPx);
      const { first, count } = visibleRows(list, topPx);
      const seen = rowAtPx(list, topPx);
      assert.ok(seen >= first && seen < first + count);
      const drawnPx = rowsTopPx(list, first, { topPx, scrollPx }) + rowTopPx(list, seen) - rowTopPx(list, first);
      assert.ok(Math.abs(drawnPx - scrollPx - (rowTopPx(list, seen) - topPx)) <= 0.5);
    }),
  );
});

test('an empty list shows nothing', () => {
  assert.deepEqual(visibleRows(sheet(0), 0), { first: 0, count: 0, rows: [] });
});
