/** How a piece of text was meant to look. Colours are `rgb(…)` made from numbers here, never text from the log. */
export interface Look {
  readonly fg?: string;
  readonly bg?: string;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
  readonly inverse?: boolean;
  /** Where a link of the terminal (OSC 8) leads: http, https or mailto. */
  readonly href?: string;
}

export interface Span {
  readonly text: string;
  readonly look: Look;
}

export const PLAIN: Look = {};

/** Text of the same look goes on in the same span. */
export function pushSpan(spans: Span[], text: string, look: Look): void {
  const last = spans.at(-1);
  if (last?.look === look) spans[spans.length - 1] = { text: last.text + text, look };
  else spans.push({ text, look });
}
