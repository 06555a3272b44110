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
}

export interface Span {
  readonly text: string;
  readonly look: Look;
}

const ESC = '\u001b';
/**
 * Everything a terminal would swallow: CSI (`ESC [` … final byte), strings such as OSC (`ESC ]` … BEL or ESC \), charset choices, and
 * two-character escapes. An unfinished sequence at the end matches too, so no half of one is ever shown.
 */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of control characters
  /\u001b(?:\[([0-?]*)[ -/]*([@-~]|$)|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)?|[ -/]+[0-~]?|[0-Z\\`-~]?)/g;

const PLAIN: Look = {};
/** The sixteen colours every terminal has; the style sheet moves their lightness until they can be read on the theme. */
const SIXTEEN = [
  [60, 60, 60],
  [205, 49, 49],
  [13, 188, 121],
  [200, 170, 16],
  [36, 114, 200],
  [188, 63, 188],
  [17, 168, 205],
  [190, 190, 190],
  [120, 120, 120],
  [241, 76, 76],
  [35, 209, 139],
  [225, 205, 67],
  [59, 142, 234],
  [214, 112, 214],
  [41, 184, 219],
  [235, 235, 235],
] as const;

/** Cut a line into pieces of one look each. No escape sequence is left in the text. */
export function ansiSpans(text: string): readonly Span[] {
  if (!text.includes(ESC)) return text === '' ? [] : [{ text, look: PLAIN }];
  const spans: Span[] = [];
  let look = PLAIN;
  let from = 0;
  const push = (to: number): void => {
    const last = spans.at(-1);
    const piece = text.slice(from, to);
    if (piece === '') return;
    if (last?.look === look) spans[spans.length - 1] = { text: last.text + piece, look };
    else spans.push({ text: piece, look });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    push(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm') look = restyled(look, match[1] ?? '');
  }
  push(text.length);
  return spans;
}

function restyled(look: Look, params: string): Look {
  // A colon joins the parts of one colour, a semicolon separates; both are seen in the field.
  const codes = params.split(/[;:]/).map((part) => (part === '' ? 0 : Number(part)));
  let next: Look = look;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const { colour, used } = extended(codes, at + 1);
      at += used;
      if (colour !== undefined) next = code === 38 ? { ...next, fg: colour } : { ...next, bg: colour };
    } else next = simple(next, code);
  }
  return next;
}

function simple(look: Look, code: number): Look {
  if (code >= 30 && code <= 37) return { ...look, fg: sixteen(code - 30) };
  if (code >= 90 && code <= 97) return { ...look, fg: sixteen(code - 82) };
  if (code >= 40 && code <= 47) return { ...look, bg: sixteen(code - 40) };
  if (code >= 100 && code <= 107) return { ...look, bg: sixteen(code - 92) };
  switch (code) {
    case 0:
      return PLAIN;
    case 1:
      return { ...look, bold: true };
    case 2:
      return { ...look, dim: true };
    case 3:
      return { ...look, italic: true };
    case 4:
    case 21:
      return { ...look, underline: true };
    case 7:
      return { ...look, inverse: true };
    case 9:
      return { ...look, strike: true };
    case 22:
      return { ...look, bold: false, dim: false };
    case 23:
      return { ...look, italic: false };
    case 24:
      return { ...look, underline: false };
    case 27:
      return { ...look, inverse: false };
    case 29:
      return { ...look, strike: false };
    case 39:
      return without(look, 'fg');
    case 49:
      return without(look, 'bg');
    default:
      return look;
  }
}

/** The colour after 38 or 48: `5;n` of the 256, or `2;r;g;b`. */
function extended(codes: readonly number[], at: number): { colour: string | undefined; used: number } {
  if (codes[at] === 5) return { colour: indexed(codes[at + 1] ?? 0), used: 2 };
  if (codes[at] !== 2) return { colour: undefined, used: codes.length };
  const [r = 0, g = 0, b = 0] = codes.slice(at + 1, at + 4);
  return { colour: rgb(r, g, b), used: 4 };
}

function indexed(index: number): string | undefined {
  if (!(index >= 0 && index <= 255)) return undefined;
  if (index < 16) return sixteen(index);
  if (index >= 232) return rgb(8 + (index - 232) * 10, 8 + (index - 232) * 10, 8 + (index - 232) * 10);
  const cube = index - 16;
  const part = (value: number): number => (value === 0 ? 0 : 55 + value * 40);
  return rgb(part(Math.floor(cube / 36)), part(Math.floor(cube / 6) % 6), part(cube % 6));
}

function sixteen(index: number): string {
  const [r, g, b] = SIXTEEN[index as 0] ?? SIXTEEN[7];
  return rgb(r, g, b);
}

function rgb(...parts: [number, number, number]): string {
  return `rgb(${parts.map((part) => Math.min(255, Math.max(0, Math.trunc(part) || 0))).join(' ')})`;
}

function without(look: Look, part: 'fg' | 'bg'): Look {
  const { [part]: _, ...rest } = look;
  return rest;
}
