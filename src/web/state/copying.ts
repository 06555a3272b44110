import type { WireEntry } from '../../core/wire.ts';
import { type CopyFormat, linesText } from '../lib/copy.ts';
import { count, plural } from '../lib/text.ts';
import { type LineRange, logViewParams } from '../lib/view.ts';
import type { LogPanel } from './panel.svelte.ts';

/** Most that is put on the clipboard; more is a file. */
export const COPY_LINES_MAX = 50_000;
const COPY_CHARS_MAX = 32_000_000;

/** What a copy would take: the lines that are selected, else those that the address marks, else the current one. */
export function copiedLines(panel: LogPanel): LineRange | null {
  const { chosen, log } = panel;
  if (chosen !== null) {
    const [from, to] = [log.row(chosen.from)?.seq, log.row(chosen.to)?.seq];
    return { from: from ?? 1, to: to ?? log.lastSeq };
  }
  if (panel.cursor === null && panel.address.view.lines !== null) return panel.address.view.lines;
  const seq = panel.currentSeq;
  return seq === null ? null : { from: seq, to: seq };
}

/** Put lines on the clipboard, loaded or not. */
export async function copyLines(panel: LogPanel, format: CopyFormat, range?: LineRange): Promise<void> {
  const wanted = range ?? copiedLines(panel);
  if (wanted === null) return;
  const { chosen } = panel;
  const exactly = range === undefined && chosen !== null ? chosen.to - chosen.from + 1 : undefined;
  if ((exactly ?? 0) > COPY_LINES_MAX) {
    panel.say(`${count(exactly ?? 0)} lines are too many to copy; download them`);
    return;
  }
  try {
    const lines = await readLines(panel, wanted);
    if (lines === null) {
      panel.say('That is too much to copy; download it');
      return;
    }
    await navigator.clipboard.writeText(linesText(lines, format));
    panel.say(`Copied ${plural(lines.length, 'line')}`);
  } catch (error) {
    panel.say(`Not copied: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readLines(panel: LogPanel, { from, to }: LineRange): Promise<readonly WireEntry[] | null> {
  const lines: WireEntry[] = [];
  let chars = 0;
  for await (const page of panel.log.reads.between(panel.log.filter, from, to)) {
    lines.push(...page);
    chars += page.reduce((sum, { message }) => sum + message.length, 0);
    if (lines.length > COPY_LINES_MAX || chars > COPY_CHARS_MAX) return null;
  }
  return lines;
}

/** The address of lines, for others: what stands in it is the lines and the filters, not the reader's own view. */
export function linkTo(panel: LogPanel, lines: LineRange): string {
  const { origin, pathname } = window.location;
  return `${origin}${pathname}?${logViewParams({ filter: panel.filter, lines })}`;
}

export async function copyLink(panel: LogPanel): Promise<void> {
  const { lines } = panel.address.view;
  const seq = panel.currentSeq;
  const wanted = panel.cursor === null && lines !== null ? lines : seq === null ? null : { from: seq, to: seq };
  if (wanted === null) return;
  await navigator.clipboard.writeText(linkTo(panel, wanted));
  panel.say('Link copied');
}
