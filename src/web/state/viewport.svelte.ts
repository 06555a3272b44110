import { type Folds, NO_FOLDS, rowOfShown, shownIndex } from '../lib/folds.ts';
import {
  maxTopPx,
  rowAtPx,
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
/** Heights that are kept of rows out of sight; more are forgotten, and measured again when they are seen. */
const HEIGHTS_KEPT = 1_000;

/** Where the reader stood when following stopped. */
export interface Pause {
  readonly atMs: number;
  readonly total: number;
  readonly errors: number;
  /** The newest line then. */
  readonly seq: number;
}

interface Facts {
  rows(): number;
  folds(): Folds;
  errors(): number;
  lastSeq(): number;
  rowPx(): number;
  live(): boolean;
  /** False while something keeps the reader at their place, such as an open search. */
  mayResume(): boolean;
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
  /** What a row takes more than a plain one. */
  #extras = $state.raw<ReadonlyMap<number, number>>(new Map());
  readonly #facts: Facts;
  readonly #rowOf = new WeakMap<Element, number>();
  readonly #measures = new Map<number, (element: HTMLElement) => () => void>();
  #sizes: ResizeObserver | undefined;
  #element: HTMLElement | undefined;
  /** A row that was jumped to stays where it is on the screen until the reader scrolls. */
  #held: { readonly row: number; readonly where: 'top' | 'middle' | 'edge' } | null = null;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  get following(): boolean {
    return this.pause === null;
  }

  attach(element: HTMLElement): () => void {
    this.#element = element;
    return () => {
      this.#element = undefined;
      this.#sizes?.disconnect();
      clearTimeout(this.#settle);
      clearTimeout(this.#rest);
    };
  }

  /** Stop following, in this very frame. The place of an earlier pause is kept. */
  readonly stop = (): void => {
    clearTimeout(this.#rest);
    const { rows, errors, lastSeq } = this.#facts;
    this.pause ??= { atMs: Date.now(), total: rows(), errors: errors(), seq: lastSeq() };
  };

  readonly follow = (): void => {
    this.pause = null;
    this.toEnd();
  };

  /** Begin another list: nothing is opened, and new lines count from here until it is known how many there are. */
  reset(): void {
    this.#extras = new Map();
    this.#held = null;
    if (this.pause !== null) this.pause = { ...this.pause, total: this.#facts.rows(), errors: this.#facts.errors() };
  }

  toEnd(): void {
    this.#held = null;
    this.#moveTo(maxTopPx(this.sheet));
  }

  toRow(row: number, where: 'top' | 'middle'): void {
    const px = rowTopPx(this.sheet, row);
    this.#held = { row, where };
    this.#moveTo(where === 'top' ? px : px - (this.viewPx - this.#facts.rowPx()) / 2);
  }

  /** Scroll just enough to have the row in view. */
  reveal(row: number): void {
    const px = rowTopPx(this.sheet, row);
    const endPx = px + this.#facts.rowPx() + Math.min(this.#extras.get(row) ?? 0, this.viewPx / 2);
    if (px >= this.topPx && endPx <= this.topPx + this.viewPx) return;
    this.#held = { row, where: 'edge' };
    this.#moveTo(px < this.topPx ? px : endPx - this.viewPx);
  }

  /** The box has another height: the end stays at the end, and what was jumped to where it was to be. */
  resized(): void {
    if (this.following) this.toEnd();
    else if (this.#held?.where === 'edge') this.reveal(this.#held.row);
    else if (this.#held !== null) this.toRow(this.#held.row, this.#held.where);
  }

  /** The box has grown or shrunk with its rows: what the browser could not scroll to before is scrolled to now. */
  regrown(): void {
    if (this.following) this.toEnd();
    // Unless the reader has moved on meanwhile.
    else if (Math.abs((this.#element?.scrollTop ?? 0) - this.scrollPx) < 1) this.#moveTo(this.topPx);
  }

  byPages(pages: number): void {
    this.#held = null;
    this.#moveTo(this.topPx + pages * Math.max(0, this.viewPx - this.#facts.rowPx()));
  }

  /** The first row that is seen whole. */
  get topRow(): number {
    const row = rowAtPx(this.sheet, this.topPx);
    return rowTopPx(this.sheet, row) < this.topPx - 1 ? this.#below(row) : row;
  }

  #below(row: number): number {
    const { rows, folds = NO_FOLDS } = this.sheet;
    return Math.min(rowOfShown(folds, shownIndex(folds, row) + 1), rows - 1);
  }

  /** The last row that is seen at all. */
  get bottomRow(): number {
    return rowAtPx(this.sheet, this.topPx + Math.max(0, this.viewPx - 1));
  }

  /** An attachment: the height of this row is what the browser makes it. The same for the same row, so that it is not attached anew. */
  measured(row: number): (element: HTMLElement) => () => void {
    const held = this.#measures.get(row);
    if (held !== undefined) return held;
    const attach = (element: HTMLElement): (() => void) => {
      this.#sizes ??= new ResizeObserver((sizes) => this.#onSizes(sizes));
      this.#rowOf.set(element, row);
      this.#sizes.observe(element);
      return () => {
        this.#sizes?.unobserve(element);
        // It is still there, and no longer taller: it was closed. A row that left the document keeps its height.
        if (element.isConnected && this.#rowOf.get(element) === row) this.#setExtras([[row, 0]]);
      };
    };
    if (this.#measures.size > HEIGHTS_KEPT) this.#measures.clear();
    this.#measures.set(row, attach);
    return attach;
  }

  readonly onScroll = (): void => {
    const toPx = this.#element?.scrollTop ?? 0;
    const fromPx = this.scrollPx;
    // Our own move, reported back by the browser in whole pixels of the screen.
    if (Math.abs(toPx - fromPx) < 1) return;
    if (toPx < fromPx) this.stop();
    this.#held = null;
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

  #onSizes(sizes: readonly ResizeObserverEntry[]): void {
    const rowPx = this.#facts.rowPx();
    this.#setExtras(
      sizes.flatMap(({ target, borderBoxSize }) => {
        const row = this.#rowOf.get(target);
        const heightPx = borderBoxSize[0]?.blockSize ?? rowPx;
        return row === undefined || heightPx === 0 ? [] : [[row, Math.max(0, heightPx - rowPx)] as const];
      }),
    );
  }

  #setExtras(changes: readonly (readonly [row: number, px: number])[]): void {
    const extras = new Map(this.#extras);
    for (const [row, px] of changes) {
      if (px < 0.5) extras.delete(row);
      else extras.set(row, px);
    }
    if (extras.size > HEIGHTS_KEPT) {
      const { first, count } = this.window;
      for (const row of extras.keys()) if (row < first || row >= first + count) extras.delete(row);
    }
    const changed = extras.size !== this.#extras.size || [...extras].some(([row, px]) => this.#extras.get(row) !== px);
    if (!changed) return;
    this.refold(() => {
      this.#extras = extras;
    });
  }

  /** Change what is folded away, or how tall rows are: the reader's line stays where it is on the screen. */
  refold(change: () => void): void {
    this.#catchUp();
    // Who is at the very beginning stays there.
    const anchor = this.#held?.row ?? (this.topPx > 0 ? this.topRow : 0);
    const beforePx = rowTopPx(this.sheet, anchor);
    change();
    if (this.following) this.toEnd();
    else this.#moveTo(this.topPx + rowTopPx(this.sheet, anchor) - beforePx);
  }

  /** The reader may have moved on, and the browser has yet to say so: their move counts before ours. */
  #catchUp(): void {
    if (this.#element !== undefined && !this.following) this.onScroll();
  }

  #awaitRest(): void {
    clearTimeout(this.#rest);
    if (this.following || !this.#facts.live() || !this.#atEnd()) return;
    this.#rest = setTimeout(() => {
      const selects = window.getSelection()?.isCollapsed === false;
      if (this.#atEnd() && !selects && this.#facts.mayResume()) this.follow();
    }, REST_MS);
  }

  #atEnd(): boolean {
    return this.topPx >= maxTopPx(this.sheet) - 2;
  }

  #sheet(): Sheet {
    const opened = [...this.#extras].map(([row, extraPx]) => ({ row, extraPx })).sort((a, b) => a.row - b.row);
    return {
      rows: this.#facts.rows(),
      rowPx: this.#facts.rowPx(),
      viewPx: this.viewPx,
      opened,
      folds: this.#facts.folds(),
    };
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
