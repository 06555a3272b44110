import type { Secret } from '../../core/redaction.ts';

const NAME = '[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----';
const BEGIN = `-----BEGIN ${NAME}`;
const END = `-----END ${NAME}`;
const FRAME = new RegExp(`^(?:${BEGIN}|${END})$`);
/** Longest block that is looked for in one text. */
const BLOCK_CHARS = 64 * 1024;

export const PRIVATE_KEY = 'private-key';

/** Private keys in one text: to their end, or without one to the next quote, or else to the end of the text. */
export function pemSpans(text: string, found: Secret[]): void {
  const begin = new RegExp(BEGIN, 'g');
  const end = new RegExp(END, 'g');
  // The next end, looked for once: a text full of beginnings must not take quadratic time.
  let nextEnd: { readonly from: number; readonly to: number } | null | undefined;
  for (let match = begin.exec(text); match; match = begin.exec(text)) {
    const from = match.index + match[0].length;
    if (nextEnd !== null && (nextEnd === undefined || nextEnd.from < from)) {
      end.lastIndex = from;
      const closing = end.exec(text);
      nextEnd = closing && { from: closing.index, to: closing.index + closing[0].length };
    }
    const within = nextEnd && nextEnd.from - from <= BLOCK_CHARS ? nextEnd.to : undefined;
    const to = within ?? quoteBehind(text, from);
    found.push({ start: match.index, end: to, kind: PRIVATE_KEY, by: 'shape', rule: null });
    begin.lastIndex = to;
  }
}

/** A line that begins a key whose other lines come as lines of their own: what stands before it; undefined for any other line. */
export function keyBegun(line: string): string | undefined {
  if (!line.includes('PRIVATE KEY')) return undefined;
  const match = new RegExp(`^(.{0,1000}?)${BEGIN}\\s*$`, 's').exec(line.slice(-2_000));
  return match?.[1];
}

/** A line that ends a key. */
export function keyEnded(line: string): boolean {
  return line.includes('PRIVATE KEY') && new RegExp(END).test(line.slice(0, 4_000));
}

/** The frame of a key alone, which says nothing. */
export function isFrame(line: string): boolean {
  return FRAME.test(line) || /^-----(?:BEGIN|END) [A-Z0-9 ]{1,60}-----$/.test(line);
}

function quoteBehind(text: string, from: number): number {
  const quote = text.indexOf('"', from);
  return quote === -1 ? text.length : quote;
}
