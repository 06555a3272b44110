/** Tallest box that every browser lays out exactly. Beyond it the scrollbar is a scale, not a measure. */
export const SPACER_PX = 10_000_000;
/** Rows drawn above and below what is seen. */
export const OVERSCAN_ROWS = 12;
/** Most rows in the document, whatever the height of the screen. */
export const MAX_ROWS = 200;

/**
 * A list of rows of one height, some of them opened and taller. "True" pixels count the whole list; the browser scrolls a box of at most
 * ten million.
 */
export interface Sheet {
  readonly rows: number;
  readonly rowPx: number;
  readonly viewPx: number;
  /** Extra height by row, in order of row. Few: only rows that the reader opened. */
  readonly opened: readonly { readonly row: number; readonly extraPx: number }[];
}

export function sheetPx(sheet: Sheet): number {
  return sheet.rows * sheet.rowPx + sheet.opened.reduce((sum, { extraPx }) => sum + extraPx, 0);
}

export function spacerPx(sheet: Sheet): number {
  return Math.min(SPACER_PX, sheetPx(sheet));
}

/** The furthest the list scrolls, in true pixels. */
export function maxTopPx(sheet: Sheet): number {
  return Math.max(0, sheetPx(sheet) - sheet.viewPx);
}

/** Where a row begins, in true pixels. */
export function rowTopPx(sheet: Sheet, row: number): number {
  let topPx = row * sheet.rowPx;
  for (const opened of sheet.opened) if (opened.row < row) topPx += opened.extraPx;
  return topPx;
}

/** The row that holds a true pixel. */
export function rowAtPx(sheet: Sheet, px: number): number {
  let extraPx = 0;
  for (const opened of sheet.opened) {
    const endPx = (opened.row + 1) * sheet.rowPx + extraPx + opened.extraPx;
    if (px < endPx - opened.extraPx) break;
    if (px < endPx) return opened.row;
    extraPx += opened.extraPx;
  }
  return Math.max(0, Math.min(sheet.rows - 1, Math.floor((px - extraPx) / sheet.rowPx)));
}

/** The rows to draw when the view begins at `topPx`. */
export function visibleRows(sheet: Sheet, topPx: number): { first: number; count: number } {
  if (sheet.rows === 0) return { first: 0, count: 0 };
  const seen = rowAtPx(sheet, topPx);
  const last = rowAtPx(sheet, topPx + sheet.viewPx);
  const first = Math.max(0, seen - OVERSCAN_ROWS);
  const end = Math.min(sheet.rows, last + 1 + OVERSCAN_ROWS);
  return { first, count: Math.min(MAX_ROWS, end - first) };
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
