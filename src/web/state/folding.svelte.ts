import { untrack } from 'svelte';
import { isOpenFilter } from '../../core/filter.ts';
import type { Part } from '../../core/outline-tree.ts';
import {
  type FoldChoice,
  groupFolds,
  groupNear,
  groupsAround,
  groupsIn,
  isGroupFolded,
  keepFolds,
  recallFolds,
} from '../lib/groups.ts';
import { PAGE_ROWS, type Stretch } from '../lib/pages.ts';
import type { Placed } from '../lib/placed.ts';
import { type Run, runsIn } from '../lib/runs.ts';
import type { TaskOutline } from './outline.svelte.ts';
import type { LogPanel, PanelFolding } from './panel.svelte.ts';
import type { Settings } from './settings.svelte.ts';

/** Pages whose runs are kept: numbers only. */
const PAGES_KEPT = 500;

interface PageRuns {
  /** What of the page and the next was here when its runs were looked for. */
  readonly stamp: string;
  readonly runs: readonly Run[];
}

/**
 * What is folded: groups by their first and last line, also where lines are not loaded; repeats and stack traces among the lines that
 * are here. With a filter nothing is folded, for there the numbers of lines are no places.
 */
export class Folding implements PanelFolding {
  #choice = $state.raw<FoldChoice>(new Map());
  /** Groups that ended, or became known, while the reader was in them: they do not fold under the reader's eyes. */
  #held = $state.raw<ReadonlySet<number>>(new Set());
  readonly #judged = new Set<number>();
  readonly #chosen: FoldChoice = $derived.by(
    () => new Map([...[...this.#held].map((from) => [from, false] as const), ...this.#choice]),
  );
  /** Runs that the reader opened, by their head. */
  #openRuns = $state.raw<ReadonlySet<number>>(new Set());
  #runs = $state.raw<ReadonlyMap<number, PageRuns>>(new Map());
  readonly #panel: LogPanel;
  readonly #outline: TaskOutline;
  readonly #settings: Settings;
  readonly active = $derived.by(() => isOpenFilter(this.#panel.log.filter));
  readonly groups = $derived.by(() => (this.active ? groupsIn(this.#outline.parts) : []));
  readonly #groupAt = $derived.by(() => new Map(this.groups.map((part) => [part.from, part])));
  readonly #endAt = $derived.by(
    () => new Map(this.groups.flatMap((part) => (part.closed ? [[part.to ?? 0, part] as const] : []))),
  );
  readonly #callAt = $derived.by(() => byLine(this.#outline.parts, 'call'));
  readonly #turnAt = $derived.by(() => byLine(this.#outline.parts, 'turn'));
  readonly #runAt = $derived.by(
    () => new Map([...this.#runs.values()].flatMap(({ runs }) => runs.map((run) => [run.head, run]))),
  );
  /** The rows that are folded away. */
  readonly stretches: readonly Stretch[] = $derived.by(() => {
    if (!this.active) return [];
    const runs = [...this.#runAt.values()].filter((run) => this.isRunFolded(run));
    return [
      ...groupFolds(this.groups, this.#chosen, this.#panel.log.total),
      ...runs.map(({ head, count }) => ({ start: head + 1, count })),
    ];
  });

  constructor(panel: LogPanel, outline: TaskOutline, settings: Settings) {
    this.#panel = panel;
    this.#settings = settings;
    this.#outline = outline;
    this.#choice = recallFolds(panel.log.taskId);
  }

  groupAt(seq: number): Part | undefined {
    return this.#groupAt.get(seq);
  }

  /** What a line is among its neighbours. */
  placed(seq: number, row: number): Placed {
    const group = this.groupAt(seq);
    const run = group ? undefined : this.runAt(row);
    const folded = (group && this.isFolded(group)) || (run && this.isRunFolded(run)) || false;
    const end = group ? undefined : this.#endAt.get(seq);
    return {
      group,
      end,
      run,
      folded,
      turn: this.#turnAt.get(seq),
      call: this.#callAt.get(seq),
      total: this.#panel.log.total,
    };
  }

  runAt(row: number): Run | undefined {
    return this.active ? this.#runAt.get(row) : undefined;
  }

  isFolded(part: Part): boolean {
    return isGroupFolded(part, this.#chosen);
  }

  isRunFolded({ kind, head }: Run): boolean {
    return (kind === 'stack' || this.#settings.repeats) && !this.#openRuns.has(head);
  }

  toggle(part: Part): void {
    this.#decide([[part.from, !this.isFolded(part)]]);
  }

  toggleRun({ head }: Run): void {
    const next = new Set(this.#openRuns);
    if (!next.delete(head)) next.add(head);
    this.#openRuns = next;
  }

  /** Fold or open what the line at a row begins; false when it begins nothing. */
  toggleAt(row: number): boolean {
    const part = this.groupAt(row + 1);
    const run = this.runAt(row);
    if (part && this.active) this.toggle(part);
    else if (run) this.toggleRun(run);
    return part !== undefined || run !== undefined;
  }

  foldAll(): void {
    this.#decide(this.groups.map(({ from }) => [from, true]));
    this.#openRuns = new Set();
  }

  unfoldAll(): void {
    this.#decide(this.groups.map(({ from }) => [from, false]));
    this.#openRuns = new Set(this.#runAt.keys());
  }

  /** Fold all groups, or open all when they are folded. */
  toggleAll(): void {
    if (this.groups.some((part) => !this.isFolded(part))) this.foldAll();
    else this.unfoldAll();
  }

  /** Open whatever hides a row. */
  reveal(row: number): void {
    if (!this.active) return;
    const hiding = groupsAround(this.groups, row + 1).filter((part) => this.isFolded(part));
    if (hiding.length > 0) this.#decide(hiding.map(({ from }) => [from, false]));
    for (const run of this.#runAt.values()) {
      if (row > run.head && row <= run.head + run.count && this.isRunFolded(run)) this.toggleRun(run);
    }
    this.apply();
  }

  /** The first line of the next group, or of the one before; undefined when there is none. */
  groupNear(seq: number, order: 'next' | 'previous'): number | undefined {
    return groupNear(this.groups, seq, order);
  }

  /** Look for runs where the reader is; what was found elsewhere stays. */
  look(rows: readonly number[]): void {
    if (!this.active) return;
    const { log } = this.#panel;
    const pages = [...new Set(rows.map((row) => Math.floor(row / PAGE_ROWS)))];
    const at = (row: number) => (row < log.total ? log.row(row) : undefined);
    const found = new Map(untrack(() => this.#runs));
    let changed = false;
    for (const page of pages.flatMap((each) => (each > 0 ? [each - 1, each] : [each]))) {
      const start = page * PAGE_ROWS;
      const before = found.get(page - 1)?.runs.at(-1);
      const begin = before ? Math.max(start, before.head + before.count + 1) : start;
      const held = heldFrom(at, start);
      const stamp = `${held} ${heldFrom(at, start + PAGE_ROWS)} ${begin}`;
      if (held === 0 || found.get(page)?.stamp === stamp) continue;
      const end = start + 2 * PAGE_ROWS;
      found.delete(page);
      found.set(page, { stamp, runs: runsIn(at, { start: begin, count: start + PAGE_ROWS - begin, end }) });
      changed = true;
    }
    if (!changed) return;
    for (const page of found.keys()) if (found.size > PAGES_KEPT) found.delete(page);
    this.#runs = found;
  }

  /** Let the panel fold what is to be folded now. */
  apply(): void {
    this.#holdOpen();
    const { stretches } = this;
    if (this.#panel.folded !== stretches)
      this.#panel.view.refold(() => {
        this.#panel.folded = stretches;
      });
  }

  #holdOpen(): void {
    const { view, cursor, address, topEntry, log } = this.#panel;
    const fresh = this.groups.filter(({ from, open }) => !open && !this.#judged.has(from));
    for (const { from } of fresh) this.#judged.add(from);
    if (view.following || fresh.length === 0) return;
    const cursorSeq = cursor === null ? undefined : log.row(cursor)?.seq;
    const topSeq = view.topPx > 0 ? topEntry?.seq : undefined;
    const seqs = [address.view.lines?.from, cursorSeq, topSeq].filter((seq) => seq !== undefined);
    const held = seqs.flatMap((seq) => groupsAround(fresh, seq));
    if (held.length > 0) this.#held = new Set([...this.#held, ...held.map(({ from }) => from)]);
  }

  #decide(choices: readonly (readonly [seq: number, folded: boolean])[]): void {
    const next = new Map(this.#choice);
    for (const [seq, folded] of choices) {
      // The newest choices are kept longest.
      next.delete(seq);
      next.set(seq, folded);
    }
    this.#choice = next;
    keepFolds(this.#panel.log.taskId, next);
  }
}

/** How many rows of a page are here: a page fills from its start. */
function heldFrom(at: (row: number) => unknown, start: number): number {
  let [low, high] = [0, PAGE_ROWS];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(start + middle) === undefined) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The parts of one kind, those within others too, by their first line. */
function byLine(
  parts: readonly Part[],
  kind: Part['kind'],
  found: Map<number, Part> = new Map(),
): ReadonlyMap<number, Part> {
  for (const part of parts) {
    if (part.kind === kind) found.set(part.from, part);
    byLine(part.parts, kind, found);
  }
  return found;
}
