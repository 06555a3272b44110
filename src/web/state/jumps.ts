import { tick } from 'svelte';
import { filterKey, isOpenFilter, type LogFilter } from '../../core/filter.ts';
import type { Level } from '../../core/level.ts';
import { SILENCE_BARS, type Silence, slowDowns } from '../lib/silences.ts';
import { duration } from '../lib/time.ts';
import type { LogPanel } from './panel.svelte.ts';

export type Order = 'next' | 'previous';

/** Where lines are not in the order of their times, the first silences of that order may lie on the other side. */
const SILENCES_TRIED = 10;
const SILENCES_MS = 10_000;

/** First sight: the linked line, where the reader was, the end of what runs, the first error of what failed, the beginning of the rest. */
export async function placeFirst(panel: LogPanel): Promise<void> {
  panel.placed = true;
  const { lines, at } = panel.address.view;
  if (lines !== null) await panel.jumpTo(lines.from, { cursor: false });
  else if (at !== null) await panel.jumpTo(at, { where: 'top', cursor: false });
  else if (panel.live) panel.view.follow();
  else {
    panel.view.stop();
    await placeEnded(panel);
  }
}

async function placeEnded(panel: LogPanel): Promise<void> {
  const status = panel.log.task?.status;
  if (status === 'completed') return;
  const failed = status === 'failed' || status === 'timed_out';
  const first = failed ? await seqNear(panel, { ...panel.filter, levels: ['ERROR'] }, 0, 'next') : null;
  if (first === null) panel.view.toEnd();
  else await panel.jumpTo(first);
}

/** The next line of a level, or the one before. */
export async function toLevel(panel: LogPanel, level: Level, order: Order): Promise<void> {
  const seq = await seqNear(panel, { ...panel.filter, levels: [level] }, fromSeq(panel, order), order);
  if (seq === null) panel.say(`No ${order} ${level}`);
  else await panel.jumpTo(seq);
}

/** The first line of a moment, or what comes next. */
export async function toTime(panel: LogPanel, iso: string): Promise<void> {
  const seq = await seqNear(panel, { ...panel.filter, from: iso }, 0, 'next');
  if (seq === null) panel.say('No line is as late as that');
  else await panel.jumpTo(seq);
}

export async function toGroup(panel: LogPanel, order: Order): Promise<void> {
  const seq = panel.folding?.groupNear(panel.cursorSeq, order);
  if (seq === undefined) panel.say(`No ${order} group`);
  else await panel.jumpTo(seq);
}

export async function toMark(panel: LogPanel, order: Order): Promise<void> {
  const seq = panel.bookmarks.near(panel.cursorSeq, order);
  if (seq === undefined) panel.say(`No ${order} mark`);
  else await panel.jumpTo(seq);
}

/** The last line before the next long silence of the task, or before the one before. */
export async function toSlowDown(panel: LogPanel, order: Order): Promise<void> {
  const found = await slowDownNear(panel, order);
  if (found === null) {
    panel.say(`No ${order} slow-down`);
    return;
  }
  await panel.jumpTo(found.seq);
  panel.say(`Silent for ${duration(found.ms)} after line ${found.seq}`);
}

export async function toHit(panel: LogPanel, order: Order): Promise<void> {
  const seq = await panel.find.go(order, panel.find.current ?? fromSeq(panel, order));
  if (seq !== null) await panel.jumpTo(seq);
}

/** All lines, and this one in the middle of those that were hidden. Back leads to the filter again. */
export async function toContext(panel: LogPanel, row: number): Promise<void> {
  const { address, listed, log, view } = panel;
  const seq = log.row(row)?.seq;
  if (seq === undefined) return;
  const { find, filter } = address.view;
  view.stop();
  panel.cursor = row;
  address.change({ filter: {}, find: find && { ...find, only: null }, at: null }, 'push');
  // Another list keeps the current line in the middle by itself; the same one first unfolds.
  if (filterKey(panel.listed) !== filterKey(listed)) return;
  await tick();
  if (!isOpenFilter(filter)) void panel.find.again();
  await panel.jumpTo(seq);
}

/** Where to look on from: while no line is current, the one on top counts too. */
function fromSeq(panel: LogPanel, order: Order): number {
  return panel.cursorSeq - (panel.cursor === null && order === 'next' ? 1 : 0);
}

async function slowDownNear(panel: LogPanel, order: Order): Promise<{ seq: number; ms: number } | null> {
  const from = fromSeq(panel, order);
  for (const { from: to, ms } of await slowDownsFrom(panel, order)) {
    const seq = await seqNear(panel, { ...panel.filter, to }, panel.log.lastSeq + 1, 'previous');
    if (seq !== null && (order === 'next' ? seq > from : seq < from)) return { seq, ms };
  }
  return null;
}

/** From the time of the current line on, or back from it, as far as the server can tell. */
async function slowDownsFrom(panel: LogPanel, order: Order): Promise<readonly Silence[]> {
  const { log, filter, cursor, topEntry } = panel;
  const here = cursor === null ? topEntry : log.row(cursor);
  const hereMs = here === undefined ? 0 : Date.parse(here.timestamp);
  try {
    const bars = await log.reads.histogram(filter, SILENCE_BARS, AbortSignal.timeout(SILENCES_MS));
    const silences = bars.exact ? slowDowns(bars) : [];
    const isAhead = ({ from }: Silence): boolean => Date.parse(from) > hereMs;
    const ahead = silences.filter(isAhead);
    const wanted = order === 'next' ? ahead : silences.filter((each) => !isAhead(each)).toReversed();
    return wanted.slice(0, SILENCES_TRIED);
  } catch {
    return [];
  }
}

async function seqNear(panel: LogPanel, filter: LogFilter, seq: number, order: Order): Promise<number | null> {
  const { levels } = panel.filter;
  if (levels !== undefined && filter.levels?.some((level) => !levels.includes(level))) return null;
  try {
    return await panel.log.reads.seqNear(filter, seq, order);
  } catch {
    return null;
  }
}
