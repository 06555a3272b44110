import { linesText } from '../lib/copy.ts';
import { plainLine } from '../lib/line.ts';
import type { LogPanel } from './panel.svelte.ts';

/** A row of the document, and where in its text a selection ends. */
interface End {
  readonly row: number;
  readonly node: Node;
  readonly offset: number;
}

/**
 * An attachment for the box of lines. What the browser selects there becomes clean text when it is copied: no numbers, no times. A
 * selection that is dragged on until its first row has left the document is one of whole lines, which are read from the server.
 */
export function selecting(panel: LogPanel): (box: HTMLElement) => () => void {
  return (box) => {
    /** The row where the pointer went down, while it is down. */
    let from: number | null = null;
    const onDown = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest('.text') === null) from = null;
      else {
        from = rowAt(target);
        panel.chosen = null;
      }
    };
    const onMove = (event: PointerEvent): void => {
      if (from === null || (event.buttons & 1) === 0) return;
      const to = rowAt(document.elementFromPoint(event.clientX, event.clientY));
      const gone = box.querySelector(`[aria-posinset="${from + 1}"]`) === null;
      if (to === null || (!gone && panel.chosen === null)) return;
      document.getSelection()?.removeAllRanges();
      panel.chosen = { from: Math.min(from, to), to: Math.max(from, to) };
    };
    const onUp = (): void => {
      from = null;
    };
    const onCopy = (event: ClipboardEvent): void => {
      const text = selectedText(panel, box);
      if (text === null) return;
      event.clipboardData?.setData('text/plain', text);
      event.preventDefault();
    };
    box.addEventListener('pointerdown', onDown);
    box.addEventListener('pointermove', onMove);
    window.addEventListener('pointerup', onUp);
    document.addEventListener('copy', onCopy);
    return () => {
      box.removeEventListener('pointerdown', onDown);
      box.removeEventListener('pointermove', onMove);
      window.removeEventListener('pointerup', onUp);
      document.removeEventListener('copy', onCopy);
    };
  };
}

/** The selected part of the first and the last row, and whole lines between; null when the selection is not one of lines. */
function selectedText(panel: LogPanel, box: HTMLElement): string | null {
  const selection = document.getSelection();
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  const [first, last] = [endOf(range.startContainer, range.startOffset), endOf(range.endContainer, range.endOffset)];
  if (first === null || last === null || !box.contains(first.node) || first.row === last.row) return null;
  const textOf = (row: number, cut: (range: Range) => void): string => {
    const text = box.querySelector(`[aria-posinset="${row + 1}"] .text`);
    const entry = panel.log.row(row);
    return text === null || entry === undefined ? '' : (partOf(text, cut) ?? linesText([entry], 'plain'));
  };
  const head = textOf(first.row, (text) => text.setStart(first.node, first.offset));
  const tail = textOf(last.row, (text) => text.setEnd(last.node, last.offset));
  const between: string[] = [];
  for (let row = first.row + 1; row < last.row; row += 1) {
    // A row that is folded away was not selected.
    if (box.querySelector(`[aria-posinset="${row + 1}"]`) !== null) between.push(textOf(row, () => undefined));
  }
  return [head, ...between, tail].join('\n');
}

function endOf(node: Node, offset: number): End | null {
  const row = rowAt(node instanceof Element ? node : node.parentElement);
  return row === null ? null : { row, node, offset };
}

/** The text of a row, cut where the selection begins or ends in it; null when all of it is selected. */
function partOf(text: Element, cut: (range: Range) => void): string | null {
  const range = document.createRange();
  range.selectNodeContents(text);
  const whole = range.cloneRange();
  cut(range);
  // The selection may begin before the text, at the time, or end behind it.
  const fromStart = range.compareBoundaryPoints(Range.START_TO_START, whole) <= 0;
  const toEnd = range.compareBoundaryPoints(Range.END_TO_END, whole) >= 0;
  if (fromStart && toEnd) return null;
  const part = range.toString();
  return part === whole.toString() ? null : plainLine(part);
}

function rowAt(element: Element | null): number | null {
  const position = element?.closest('[role=listitem]')?.getAttribute('aria-posinset');
  return position === null || position === undefined ? null : Number(position) - 1;
}
