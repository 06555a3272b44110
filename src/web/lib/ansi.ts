import { type Look, PLAIN, pushSpan, type Span } from './look.ts';
import { MOVE_COMMANDS, type Move, Terminal } from './terminal.ts';

/**
 * Everything a terminal would swallow: CSI (`ESC [` … final byte), strings such as OSC (`ESC ]` … BEL or ESC \), charset choices, and
 * two-character escapes. An unfinished sequence at the end matches too, so no half of one is ever shown.
 */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of control characters
  /\u001b(?:\[([0-?]*)[ -/]*([@-~]|$)|([\]PX^_])([^\u0007\u001b]*)(?:\u0007|\u001b\\|$)?|[ -/]+[0-~]?|[0-Z\\`-~]?)/g;
/** What moves within the line, so that later text takes the place of earlier. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const MOVES = /[\r\b]|\u001b\[[0-?]*[A-GKPXsu]|\u001b[78]/;

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

/** Cut a text into pieces of one look each, drawn as a terminal would draw it. No escape sequence is left in it. */
export function ansiSpans(text: string): readonly Span[] {
  const codes = text.includes('\u001b');
  if (MOVES.test(text)) return redrawn(text);
  if (!codes) return text === '' ? [] : [{ text, look: PLAIN }];
  const spans: Span[] = [];
  for (const { text: piece, look } of pieces(text)) if (piece !== '') pushSpan(spans, piece, look);
  return spans;
}

/** The text without anything that a terminal would swallow. */
export function plainText(text: string): string {
  return ansiSpans(text)
    .map((span) => span.text)
    .join('');
}

/** How often the text was drawn over from its start; at each the line showed something else. */
export function returnsIn(text: string): number {
  return states(text).length - 1;
}

/** What the line showed, one state after the other: it is drawn over at each carriage return. */
export function states(text: string): readonly string[] {
  if (!text.includes('\r')) return [text];
  return text.split(/\r(?!\n|$)/).filter((state, n, all) => state !== '' || n === all.length - 1);
}

/** Older ways to keep the cursor's place, and to go back. */
const KEEPS: Readonly<Record<string, string>> = { '\u001b7': 's', '\u001b8': 'u' };

/** The text between sequences with its look, and the moves between. */
function* pieces(text: string): Generator<Span & { readonly move?: Move }> {
  let look = PLAIN;
  let from = 0;
  for (const match of text.matchAll(SEQUENCE)) {
    const [all, params = '', command, opener, string = ''] = match;
    const move = command !== undefined && command !== '' && MOVE_COMMANDS.includes(command);
    const piece = { text: text.slice(from, match.index), look };
    const place = KEEPS[all];
    if (move) yield { ...piece, move: { command, count: Number.parseInt(params, 10) || 0 } };
    else yield place ? { ...piece, move: { command: place, count: 0 } } : piece;
    from = match.index + all.length;
    // With a private mark (`ESC[>4;2m`) it is no colour.
    if (command === 'm' && !/[<-?]/.test(params)) look = restyled(look, params);
    else if (opener === ']' && string.startsWith('8;')) look = linked(look, string);
  }
  yield { text: text.slice(from), look };
}

function redrawn(text: string): readonly Span[] {
  const terminal = new Terminal();
  for (const { text: piece, look, move } of pieces(text)) {
    terminal.write(piece, look);
    if (move) terminal.move(move);
  }
  return terminal.spans();
}

/** `8;params;URI` begins a link, an empty URI ends it. Other schemes lead nowhere. */
function linked(look: Look, string: string): Look {
  const uri = string.slice(string.indexOf(';', 2) + 1);
  const { href: _, ...rest } = look;
  return isSafeLink(uri) ? { ...rest, href: uri } : rest;
}

/** Whether a link may be followed: only these schemes, and nothing in it that cannot be seen. */
export function isSafeLink(uri: string): boolean {
  return uri.length <= 2_000 && /^(?:https?:\/\/|mailto:)[\x21-\x7e]+$/i.test(uri) && URL.canParse(uri);
}

function restyled(look: Look, params: string): Look {
  let next: Look = look;
  const codes = params.split(';');
  for (let at = 0; at < codes.length; at += 1) {
    // A colon joins the parts of one attribute, a semicolon separates; both are seen in the field.
    const [code = 0, ...parts] = (codes[at] ?? '').split(':').map((part) => (part === '' ? 0 : Number(part)));
    if (code === 38 || code === 48 || code === 58) {
      const { colour, used } = parts.length > 0 ? joined(parts) : extended(codes.slice(at + 1).map(Number));
      at += used;
      if (colour !== undefined && code === 38) next = { ...next, fg: colour };
      if (colour !== undefined && code === 48) next = { ...next, bg: colour };
    } else if (code === 4 && parts[0] === 0) next = without(next, 'underline');
    else next = simple(next, code);
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
      // A link ends by its own sequence only.
      return look.href === undefined ? PLAIN : { href: look.href };
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
      return without(without(look, 'bold'), 'dim');
    case 23:
      return without(look, 'italic');
    case 24:
      return without(look, 'underline');
    case 27:
      return without(look, 'inverse');
    case 29:
      return without(look, 'strike');
    case 39:
      return without(look, 'fg');
    case 49:
      return without(look, 'bg');
    default:
      return look;
  }
}

/** The colour after 38 or 48: `5;n` of the 256, or `2;r;g;b`. */
function extended([kind, ...parts]: readonly number[]): { colour: string | undefined; used: number } {
  if (kind === 5) return { colour: indexed(parts[0] ?? 0), used: 2 };
  if (kind !== 2) return { colour: undefined, used: parts.length + 1 };
  const [r = 0, g = 0, b = 0] = parts;
  return { colour: rgb(r, g, b), used: 4 };
}

/** The same with colons: `38:2::r:g:b` names a colour space before the colour, which may be left out. */
function joined(parts: readonly number[]): { colour: string | undefined; used: number } {
  const [kind, ...values] = parts;
  const { colour } = extended([kind ?? 0, ...(kind === 2 && values.length > 3 ? values.slice(1) : values)]);
  return { colour, used: 0 };
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

function without(look: Look, part: keyof Look): Look {
  const { [part]: _, ...rest } = look;
  return rest;
}
