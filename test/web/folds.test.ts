import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldsOf, isFolded, rowOfShown, shownIndex, stretchesOf } from '../../src/web/lib/folds.ts';
import { MAX_ROWS, maxTopPx, rowAtPx, rowTopPx, type Sheet, sheetPx, visibleRows } from '../../src/web/lib/window.ts';

const stretch = (rows: number) => fc.record({ start: fc.nat(rows), count: fc.integer({ min: 0, max: 60 }) });
const lists = fc.integer({ min: 1, max: 300 }).chain((rows) =>
  fc.record({
    rows: fc.constant(rows),
    stretches: fc.array(stretch(rows), { maxLength: 12 }),
    opened: fc.uniqueArray(fc.record({ row: fc.nat(rows - 1), extraPx: fc.integer({ min: 1, max: 90 }) }), {
      selector: ({ row }) => row,
      maxLength: 5,
    }),
  }),
);

/** The same list, row by row. */
function heights({ rows, rowPx, opened, folds }: Sheet): number[] {
  return Array.from({ length: rows }, (_, row) =>
    folds && isFolded(folds, row) ? 0 : rowPx + (opened.find((held) => held.row === row)?.extraPx ?? 0),
  );
}

function sheetOf(list: {
  rows: number;
  stretches: { start: number; count: number }[];
  opened: Sheet['opened'];
}): Sheet {
  const opened = [...list.opened].sort((a, b) => a.row - b.row);
  return { rows: list.rows, rowPx: 20, viewPx: 200, opened, folds: foldsOf(list.stretches, list.rows) };
}

test('a row is folded when one of the stretches holds it, nested and overlapping ones too', () => {
  fc.assert(
    fc.property(lists, ({ rows, stretches }) => {
      const folds = foldsOf(stretches, rows);
      const shown = Array.from({ length: rows }, (_, row) => row).filter(
        (row) => !stretches.some(({ start, count }) => row >= start && row < start + count),
      );
      assert.deepEqual(
        Array.from({ length: rows }, (_, row) => row).filter((row) => !isFolded(folds, row)),
        shown,
      );
      assert.equal(rows - folds.hidden, shown.length);
      shown.forEach((row, index) => {
        assert.equal(shownIndex(folds, row), index);
        assert.equal(rowOfShown(folds, index), row);
      });
    }),
  );
});

test('pixels of a folded list are the sums of its rows’ heights', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const sheet = sheetOf(list);
      const each = heights(sheet);
      let topPx = 0;
      each.forEach((px, row) => {
        if (px > 0) {
          assert.equal(rowTopPx(sheet, row), topPx);
          assert.equal(rowAtPx(sheet, topPx), row);
          assert.equal(rowAtPx(sheet, topPx + px - 1), row);
        }
        topPx += px;
      });
      assert.equal(sheetPx(sheet), topPx);
    }),
  );
});

test('what is drawn are the shown rows of the view, and no folded one', () => {
  fc.assert(
    fc.property(lists, fc.double({ min: 0, max: 1, noNaN: true }), (list, share) => {
      const sheet = sheetOf(list);
      const each = heights(sheet);
      const topPx = share * maxTopPx(sheet);
      const { rows, first, count } = visibleRows(sheet, topPx);
      assert.ok(rows.every((row) => (each[row] ?? 0) > 0));
      const seen = each.flatMap((px, row) => {
        const at = rowTopPx(sheet, row);
        return px > 0 && at < topPx + sheet.viewPx && at + px > topPx ? [row] : [];
      });
      assert.ok(seen.every((row) => rows.includes(row)));
      if (rows.length > 0) assert.deepEqual([rows[0], rows.at(-1)], [first, first + count - 1]);
    }),
  );
});

test('a fold of millions of rows costs no more than a few', () => {
  const folds = foldsOf([{ start: 10, count: 9_000_000 }], 10_000_000);
  const sheet: Sheet = { rows: 10_000_000, rowPx: 22, viewPx: 600, opened: [], folds };
  const { rows, first, count } = visibleRows(sheet, 0);
  assert.ok(rows.length <= MAX_ROWS);
  assert.deepEqual([first, rows[9], rows[10]], [0, 9, 9_000_010]);
  assert.ok(count > 9_000_000);
  assert.deepEqual(stretchesOf(rows)[0], { start: 0, count: 10 });
  assert.equal(stretchesOf(rows).length, 2);
  assert.equal(rowAtPx(sheet, rowTopPx(sheet, 9_999_999)), 9_999_999);
});
