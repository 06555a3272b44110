import { type Folds, isFolded, NO_FOLDS, rowOfShown, shownIndex } from './folds.ts';

/** Tallest box that every browser lays out exactly. Beyond it the scrollbar is a scale, not a measure. */
export const SPACER_PX = 10_000_000;
/** Rows drawn above and below what is seen. */
export const OVERSCAN_ROWS = 12;
/** Most rows in the document, whatever the height of the screen. */
export const MAX_ROWS = 200;

/**
 * A list of rows of one height, some of them opened and taller, some folded away. "True" pixels count the whole list; the browser scrolls
 * a box of at most ten million.
 */
export interface Sheet {
  readonly rows: number;
  readonly rowPx: number;
  readonly viewPx: number;
  /** Extra height by row, in order of row. Few: only rows that the reader opened. */
  readonly opened: readonly { readonly row: number; readonly extraPx: number }[];
  /** Rows without any height; left out: none. */
  readonly folds?: Folds;
}

export function sheetPx(sheet: Sheet): number {
  return shownRows(sheet) * sheet.rowPx + openedShown(sheet).reduce((sum, { extraPx }) => sum + extraPx, 0);
}

export function spacerPx(sheet: Sheet): number {
  return Math.min(SPACER_PX, sheetPx(sheet));
}

/** The furthest the list scrolls, in true pixels. */
export function maxTopPx(sheet: Sheet): number {
  return Math.max(0, sheetPx(sheet) - sheet.viewPx);
}

/** Where a row begins, in true pixels; a folded one begins where the next shown does. */
export function rowTopPx(sheet: Sheet, row: number): number {
  const index = shownIndex(sheet.folds ?? NO_FOLDS, row);
  let topPx = index * sheet.rowPx;
  for (const opened of openedShown(sheet)) if (opened.index < index) topPx += opened.extraPx;
  return topPx;
}

/** The row that holds a true pixel. */
export function rowAtPx(sheet: Sheet, px: number): number {
  return rowOfShown(sheet.folds ?? NO_FOLDS, indexAtPx(sheet, px));
}

/** The rows to draw when the view begins at `topPx`, in order; `count` is how far they reach, folded ones included. */
export function visibleRows(
  sheet: Sheet,
  topPx: number,
): { readonly first: number; readonly count: number; readonly rows: readonly number[] } {
  const shown = shownRows(sheet);
  if (shown <= 0) return { first: 0, count: 0, rows: [] };
  const start = Math.max(0, indexAtPx(sheet, topPx) - OVERSCAN_ROWS);
  const end = Math.min(shown, indexAtPx(sheet, topPx + sheet.viewPx) + 1 + OVERSCAN_ROWS);
  const folds = sheet.folds ?? NO_FOLDS;
  const rows = Array.from({ length: Math.min(MAX_ROWS, end - start) }, (_, n) => rowOfShown(folds, start + n));
  const first = rows[0] ?? 0;
  return { first, count: (rows.at(-1) ?? first) - first + 1, rows };
}

function indexAtPx(sheet: Sheet, px: number): number {
  let extraPx = 0;
  for (const opened of openedShown(sheet)) {
    const endPx = (opened.index + 1) * sheet.rowPx + extraPx + opened.extraPx;
    if (px < endPx - opened.extraPx) break;
    if (px < endPx) return opened.index;
    extraPx += opened.extraPx;
  }
  return Math.max(0, Math.min(shownRows(sheet) - 1, Math.floor((px - extraPx) / sheet.rowPx)));
}

function shownRows({ rows, folds = NO_FOLDS }: Sheet): number {
  return rows - folds.hidden;
}

/** The opened rows that are not folded away, by their place among the shown. */
function openedShown({ opened, folds = NO_FOLDS }: Sheet): readonly { index: number; extraPx: number }[] {
  return opened
    .filter(({ row }) => !isFolded(folds, row))
    .map(({ row, extraPx }) => ({ index: shownIndex(folds, row), extraPx }));
}

/**
 * Where in the scrolled box the drawn rows begin. Negative near the top of a list taller than the box: there the scrollbar has come
 * less far than the list, and what is above the box's edge is above the view too.
 */
export function rowsTopPx(sheet: Sheet, first: number, at: { topPx: number; scrollPx: number }): number {
  return Math.round(at.scrollPx + rowTopPx(sheet, first) - at.topPx);
}

/** Where the browser's scrollbar stands for a true offset. */
export function scrollOfTop(sheet: Sheet, topPx: number): number {
  const spanPx = maxTopPx(sheet);
  return spanPx <= 0 ? 0 : (Math.min(topPx, spanPx) / spanPx) * Math.max(0, spacerPx(sheet) - sheet.viewPx);
}

/**
 * The true offset after the reader scrolled. A short way is taken as it is, so a wheel notch moves the same few rows in a list of
 * ten million; a long one is a drag of the scrollbar and is scaled.
 */
export function topAfterScroll(sheet: Sheet, topPx: number, move: { fromPx: number; toPx: number }): number {
  const scrollSpanPx = Math.max(0, spacerPx(sheet) - sheet.viewPx);
  const spanPx = maxTopPx(sheet);
  if (scrollSpanPx === 0) return 0;
  if (scrollSpanPx === spanPx) return clamp(move.toPx, spanPx);
  if (move.toPx <= 0) return topPx > sheet.viewPx && move.fromPx <= sheet.viewPx ? topPx - move.fromPx : 0;
  const deltaPx = move.toPx - move.fromPx;
  if (Math.abs(deltaPx) <= 1.5 * sheet.viewPx) return clamp(topPx + deltaPx, spanPx);
  return clamp((move.toPx / scrollSpanPx) * spanPx, spanPx);
}

function clamp(px: number, maxPx: number): number {
  return Math.max(0, Math.min(maxPx, px));
}
