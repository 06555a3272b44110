import { filterKey, type LogFilter } from '../../core/filter.ts';
import type { Level } from '../../core/level.ts';
import type { WireEntry } from '../../core/wire.ts';
import { dividerBetween } from '../lib/dividers.ts';
import { foldsOf, rowOfShown, shownIndex } from '../lib/folds.ts';
import type { Stretch } from '../lib/pages.ts';
import { type LineRange, type LogView, toggled, withPart } from '../lib/view.ts';
import type { Bookmarks } from './bookmarks.svelte.ts';
import { Find } from './find.svelte.ts';
import { Passing } from './passing.svelte.ts';
import type { TaskLog } from './task-log.svelte.ts';
import { Viewport } from './viewport.svelte.ts';

/** Where the state of the panel stands: the address. */
export interface PanelAddress {
  readonly view: LogView;
  change(part: Partial<LogView>, how?: 'push' | 'replace'): void;
}

/** What folds rows away: groups, repeats, stack traces. */
export interface PanelFolding {
  /** Open whatever hides a row. */
  reveal(row: number): void;
  /** Fold or open what the line at a row begins; false when it begins nothing. */
  toggleAt(row: number): boolean;
  toggleAll(): void;
  /** The first line of the next group, or of the one before. */
  groupNear(seq: number, order: 'next' | 'previous'): number | undefined;
}

interface JumpOptions {
  readonly where?: 'top' | 'middle';
  /** False: keys go on where they were. */
  readonly cursor?: boolean;
}

/** How long new lines are tinted after the reader came back to them, and how long a notice stays. */
const TINT_MS = 2_000;
const NOTICE_MS = 6_000;
/** The place is written to the address when the reader rests. */
const REST_MS = 400;
const EVERYTHING: LogFilter = {};

/**
 * The log panel: which line the reader is at, what is opened, marked and looked for. The parts of the panel share it; `jumpTo` is the
 * way to any line. A row is a position among the lines that pass the filter.
 */
export class LogPanel {
  readonly log: TaskLog;
  readonly view: Viewport;
  readonly find: Find;
  readonly bookmarks: Bookmarks;
  readonly address: PanelAddress;
  readonly rowPx = window.matchMedia('(pointer: coarse)').matches ? 32 : 22;
  readonly live = $derived.by(() => this.log.task !== null && !this.log.task.ended);
  /** Lines that stand open. */
  opened = $state.raw<ReadonlySet<number>>(new Set());
  /** Lines that are folded away, as groups and repeats are. */
  folded = $state.raw<readonly Stretch[]>([]);
  /** While only matches of a search are shown: the lines that are not near one. */
  unmatched = $state.raw<readonly Stretch[]>([]);
  folding: PanelFolding | null = null;
  /** The line that keys act on. */
  cursor = $state<number | null>(null);
  /** Lines that are selected to be copied, the last included. */
  chosen = $state.raw<LineRange | null>(null);
  placed = $state(false);
  /** Lines before this one are cleared away, in view only. */
  floor = $state(0);
  /** The first of the lines that are tinted because the reader just came back to them. */
  readonly tint = new Passing<number>(TINT_MS);
  readonly notice = new Passing<string>(NOTICE_MS);
  menu = $state<'download' | 'copy' | null>(null);
  /** Grows when the field of the search is to get the focus. */
  findFocus = $state(0);
  /** All that is folded away: what is cleared, what is no match of the search, and groups. */
  readonly folds = $derived.by(() => {
    const cleared = this.floor > 0 ? [{ start: 0, count: this.floor }] : [];
    return foldsOf([...cleared, ...this.unmatched, ...this.folded], this.log.total);
  });
  #rest: ReturnType<typeof setTimeout> | undefined;
  #jumps = 0;

  constructor(log: TaskLog, address: PanelAddress, bookmarks: Bookmarks) {
    this.log = log;
    this.address = address;
    this.bookmarks = bookmarks;
    this.find = new Find(log, () => this.filter);
    this.view = new Viewport({
      rows: () => log.total,
      folds: () => this.folds,
      errors: () => log.liveErrors,
      lastSeq: () => log.lastSeq,
      rowPx: () => this.rowPx,
      live: () => this.live,
      mayResume: () => this.find.text === null,
    });
  }

  /** The filter that the reader chose. */
  get filter(): LogFilter {
    return this.address.view.filter;
  }

  /** The filter of the list: around matches of a search all lines are shown. */
  get listed(): LogFilter {
    const { find, filter } = this.address.view;
    return find !== null && find.only !== null && find.text !== '' ? EVERYTHING : filter;
  }

  get topEntry(): WireEntry | undefined {
    return this.log.row(this.view.topRow);
  }

  /** The line that keys go on from: the current one, else the one on top. */
  get cursorSeq(): number {
    const entry = this.cursor === null ? this.topEntry : this.log.row(this.cursor);
    return entry?.seq ?? 0;
  }

  /** The line that an action is about: the current one, else the marked one, else the one on top. */
  get currentSeq(): number | null {
    const entry = this.cursor === null ? undefined : this.log.row(this.cursor);
    return entry?.seq ?? this.address.view.lines?.from ?? this.topEntry?.seq ?? null;
  }

  /** What is to be said above a row. */
  dividerAbove(row: number): string | null {
    const entry = this.log.row(row);
    const before = row === 0 ? 0 : this.log.row(row - 1)?.seq;
    if (entry === undefined || before === undefined) return null;
    return dividerBetween(before, entry.seq, { leftAt: this.bookmarks.leftAt, returns: this.log.returns });
  }

  isChosen(row: number): boolean {
    return this.chosen !== null && row >= this.chosen.from && row <= this.chosen.to;
  }

  /** Show a line, wherever it is; following stops. A line that the filter hides is stood for by the next one. */
  async jumpTo(seq: number, { where = 'middle', cursor = true }: JumpOptions = {}): Promise<void> {
    this.view.stop();
    this.#jumps += 1;
    const mine = this.#jumps;
    const row = await this.log.positionOf(seq);
    if (row === null || row < 0 || mine !== this.#jumps) return;
    if (row < this.floor) this.floor = 0;
    this.folding?.reveal(row);
    if (cursor) this.cursor = row;
    this.view.toRow(row, where);
  }

  /** Choose other lines. The address says which, and the list follows it. */
  applyFilter(filter: LogFilter): void {
    if (filterKey(filter) !== filterKey(this.filter)) this.address.change({ filter, at: null });
  }

  toggleLevel(level: Level): void {
    this.applyFilter(withPart(this.filter, 'levels', toggled(this.filter.levels, level)));
  }

  /** Follow the address to other lines, and keep the place: the line on top stays on top, or the next one that is still there. */
  async relist(again = false): Promise<void> {
    const { listed } = this;
    if (!again && filterKey(listed) === filterKey(this.log.filter)) return;
    const top = this.cursor === null ? this.topEntry : (this.log.row(this.cursor) ?? this.topEntry);
    const where = this.cursor === null ? 'top' : 'middle';
    this.opened = new Set();
    this.cursor = null;
    this.chosen = null;
    this.floor = 0;
    await this.log.setFilter(listed);
    // Another change came meanwhile; it finds the place itself.
    if (this.log.filter !== listed || this.log.updating) return;
    this.view.reset();
    void this.find.again();
    if (this.view.following) return;
    void this.#recount();
    if (top !== undefined) await this.jumpTo(top.seq, { where, cursor: where === 'middle' });
  }

  retry(): void {
    if (!this.placed || !this.log.updating) this.log.retry();
    else {
      this.log.link.retry();
      void this.relist(true);
    }
  }

  toggle(row: number): void {
    const next = new Set(this.opened);
    if (!next.delete(row)) next.add(row);
    this.opened = next;
    if (this.live) this.view.stop();
  }

  moveCursor(by: number): void {
    this.view.stop();
    const shown = this.log.total - this.folds.hidden;
    if (shown <= 0) return;
    const at =
      this.cursor === null ? this.view.topRow : rowOfShown(this.folds, shownIndex(this.folds, this.cursor) + by);
    this.cursor = Math.max(rowOfShown(this.folds, 0), Math.min(rowOfShown(this.folds, shown - 1), at));
    this.view.reveal(this.cursor);
  }

  /** Page by page; whatever moves the reader away from the end stops following first. */
  scrollBy(pages: number): void {
    if (pages < 0) this.view.stop();
    this.view.byPages(pages);
  }

  toTop(): void {
    this.view.stop();
    this.view.toRow(0, 'top');
  }

  toBottom(): void {
    this.cursor = null;
    if (!this.live) {
      this.view.toEnd();
      return;
    }
    const from = this.view.pause?.total;
    this.view.follow();
    if (from !== undefined && from < this.log.total) this.tint.show(from);
  }

  /** The first line that came while the reader was elsewhere. */
  toFirstNew(): void {
    const { pause } = this.view;
    if (pause === null) return;
    this.cursor = Math.min(pause.total, this.log.total - 1);
    this.view.toRow(this.cursor, 'top');
  }

  mark(lines: LineRange | null): void {
    this.view.stop();
    this.address.change({ lines }, 'push');
  }

  /** A click on a line's number: its link; with Shift, the range from the line that was marked before. */
  onNumber(seq: number, extend: boolean): void {
    const { lines } = this.address.view;
    const other = lines === null ? null : seq < lines.from ? lines.to : lines.from;
    if (extend && other !== null) this.mark({ from: Math.min(other, seq), to: Math.max(other, seq) });
    else this.mark(lines?.from === seq && lines.to === seq ? null : { from: seq, to: seq });
  }

  /** Hide the lines before the first that is seen, or all that are there when the end is followed. */
  clearAbove(): void {
    this.floor = this.view.following ? this.log.total : this.view.topRow;
    if (!this.view.following) this.view.toRow(this.floor, 'top');
  }

  showAll(): void {
    const top = this.view.topRow;
    this.floor = 0;
    if (!this.view.following) this.view.toRow(top, 'top');
  }

  chooseAll(): void {
    this.view.stop();
    if (this.log.total > 0) this.chosen = { from: 0, to: this.log.total - 1 };
  }

  say(text: string): void {
    this.notice.show(text);
  }

  /** The reader rests: write the place to the address. The end that is followed, and the beginning of what ended, have none. */
  keepPlace(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      if (!this.placed || this.log.updating) return;
      const { following, topRow } = this.view;
      const at = following || (!this.live && topRow === 0) ? null : (this.topEntry?.seq ?? null);
      if (at !== this.address.view.at) this.address.change({ at });
    }, REST_MS);
  }

  close(): void {
    this.tint.close();
    this.notice.close();
    clearTimeout(this.#rest);
    this.find.end();
    this.bookmarks.leave(this.log.lastSeq);
  }

  /** What is new since the pause among the lines of another filter, as the server counts it. */
  async #recount(): Promise<void> {
    const { pause } = this.view;
    if (pause === null) return;
    const { filter } = this.log;
    const before = await this.log.countedTo(pause.seq);
    if (before === null || this.log.filter !== filter || this.view.pause?.seq !== pause.seq) return;
    this.view.pause = { ...this.view.pause, total: before.lines, errors: this.log.liveErrors - before.errorsSince };
  }
}
