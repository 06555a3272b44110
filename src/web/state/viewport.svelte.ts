import {
  maxTopPx,
  rowsTopPx,
  rowTopPx,
  type Sheet,
  scrollOfTop,
  spacerPx,
  topAfterScroll,
  visibleRows,
} from '../lib/window.ts';

/** The scrollbar may stand a little off its scale while a list taller than the box is scrolled; after this pause it is set right. */
const SETTLE_MS = 150;
/** Resting this long on the last line means following again. */
const REST_MS = 300;

/** Where the reader stood when following stopped. */
export interface Pause {
  readonly atMs: number;
  readonly total: number;
  readonly errors: number;
}

/**
 * Which rows are seen, and whether the end is followed. The true offset is ours; the browser's scrollbar is kept in step with it.
 *
 *   following ─wheel up, key, drag, selection─▶ paused ─End, F, "Jump to Bottom", rest on the last line─▶ following
 */
export class Viewport {
  viewPx = $state(0);
  topPx = $state(0);
  scrollPx = $state(0);
  pause = $state.raw<Pause | null>(null);
  readonly sheet: Sheet = $derived.by(() => this.#sheet());
  readonly window = $derived(visibleRows(this.sheet, this.topPx));
  readonly spacerPx = $derived(spacerPx(this.sheet));
  /** Where the drawn rows begin, in the box that the browser scrolls. */
  readonly rowsTopPx = $derived(rowsTopPx(this.sheet, this.window.first, this));
  #extras = $state.raw<ReadonlyMap<number, number>>(new Map());
  readonly #facts: { rows: () => number; errors: () => number; rowPx: () => number; live: () => boolean };
  #element: HTMLElement | undefined;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(facts: { rows: () => number; errors: () => number; rowPx: () => number; live: () => boolean }) {
    this.#facts = facts;
  }

  get following(): boolean {
    return this.pause === null;
  }

  attach(element: HTMLElement): () => void {
    this.#element = element;
    return () => {
      this.#element = undefined;
      clearTimeout(this.#settle);
      clearTimeout(this.#rest);
    };
  }

  /** Stop following, in this very frame. The place of an earlier pause is kept. */
  readonly stop = (): void => {
    clearTimeout(this.#rest);
    this.pause ??= { atMs: Date.now(), total: this.#facts.rows(), errors: this.#facts.errors() };
  };

  readonly follow = (): void => {
    this.pause = null;
    this.toEnd();
  };

  /** Begin another list: nothing is opened, and a pause counts from here. */
  reset(): void {
    this.#extras = new Map();
    if (this.pause !== null) this.pause = { ...this.pause, total: this.#facts.rows(), errors: this.#facts.errors() };
  }

  toEnd(): void {
    this.#moveTo(maxTopPx(this.sheet));
  }

  toRow(row: number, where: 'top' | 'middle'): void {
    const px = rowTopPx(this.sheet, row);
    this.#moveTo(where === 'top' ? px : px - (this.viewPx - this.#facts.rowPx()) / 2);
  }

  /** Scroll just enough to have the row in view. */
  reveal(row: number): void {
    const px = rowTopPx(this.sheet, row);
    if (px < this.topPx) this.#moveTo(px);
    else if (px + this.#facts.rowPx() > this.topPx + this.viewPx) this.#moveTo(px + this.#facts.rowPx() - this.viewPx);
  }

  byPages(pages: number): void {
    this.#moveTo(this.topPx + pages * Math.max(0, this.viewPx - this.#facts.rowPx()));
  }

  /** An opened row takes this much more room; 0 when it is closed. */
  setExtra(row: number, px: number): void {
    if ((this.#extras.get(row) ?? 0) === px) return;
    const extras = new Map(this.#extras);
    if (px === 0) extras.delete(row);
    else extras.set(row, px);
    this.#extras = extras;
  }

  readonly onScroll = (): void => {
    const toPx = this.#element?.scrollTop ?? 0;
    const fromPx = this.scrollPx;
    // Our own move, reported back by the browser in whole pixels of the screen.
    if (Math.abs(toPx - fromPx) < 1) return;
    if (toPx < fromPx) this.stop();
    this.topPx = topAfterScroll(this.sheet, this.topPx, { fromPx, toPx });
    this.scrollPx = toPx;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(this.#onSettle, SETTLE_MS);
    this.#awaitRest();
  };

  readonly #onSettle = (): void => {
    const scrolledPx = this.#element?.scrollTop ?? 0;
    // The reader has moved on, and the browser has yet to say so: their move counts, not ours.
    if (Math.abs(scrolledPx - this.scrollPx) >= 1) this.onScroll();
    else this.#moveTo(this.topPx);
  };

  #awaitRest(): void {
    clearTimeout(this.#rest);
    if (this.following || !this.#facts.live() || !this.#atEnd()) return;
    this.#rest = setTimeout(() => {
      if (this.#atEnd() && window.getSelection()?.isCollapsed !== false) this.follow();
    }, REST_MS);
  }

  #atEnd(): boolean {
    return this.topPx >= maxTopPx(this.sheet) - 2;
  }

  #sheet(): Sheet {
    const opened = [...this.#extras].map(([row, extraPx]) => ({ row, extraPx })).sort((a, b) => a.row - b.row);
    return { rows: this.#facts.rows(), rowPx: this.#facts.rowPx(), viewPx: this.viewPx, opened };
  }

  #moveTo(px: number): void {
    this.topPx = Math.max(0, Math.min(px, maxTopPx(this.sheet)));
    const scrollPx = scrollOfTop(this.sheet, this.topPx);
    this.scrollPx = scrollPx;
    const element = this.#element;
    if (element === undefined || Math.abs(element.scrollTop - scrollPx) < 1) return;
    element.scrollTop = scrollPx;
    // The box may not have grown yet; then the browser stops short, and what it says is what holds.
    this.scrollPx = element.scrollTop;
  }
}
