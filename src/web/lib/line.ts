import type { Span } from '../../core/found.ts';
import { UNSAFE, unsafeName } from '../../core/unsafe.ts';
import { ansiSpans, plainText } from './ansi.ts';
import { type Look, PLAIN } from './look.ts';
import { placesIn } from './places.ts';

/** One run of a line as it is drawn. A token stands for a character that would be invisible or would move others. */
export interface Piece {
  readonly text: string;
  readonly look: Look;
  /** A `file` is a place in one, such as `src/a.ts:12`; `redacted` stands where a secret stood. */
  readonly kind: 'text' | 'token' | 'hit' | 'file' | 'redacted';
  /** What the token stands for. */
  readonly title?: string;
  /** Where it leads: http, https or mailto. */
  readonly href?: string;
}

/** Says where in a text something stands that the reader looks for. */
export type Finder = (text: string) => readonly Span[];

interface DrawOptions {
  readonly searched?: readonly string[];
  readonly find?: Finder | undefined;
  readonly maxChars?: number;
  /** Keep line breaks as they are, for a place that has room for them. */
  readonly breaks?: boolean;
  /** Tell addresses, places in files and masked secrets from the rest. */
  readonly places?: boolean;
  /** Without colours. */
  readonly plain?: boolean;
}

interface Wanted {
  /** In lower case; found in any. */
  readonly texts: readonly string[];
  readonly find: Finder | undefined;
}

export interface Line {
  readonly pieces: readonly Piece[];
  /** Characters of the message that are not in the pieces. */
  readonly hiddenChars: number;
}

/** Longest part of a message that a row shows; the rest is behind its expander. */
export const ROW_CHARS = 2_000;
/** What to draw for a message: looks from its ANSI colours, tokens for what cannot be seen, marks where searched texts stand. */
export function drawLine(message: string, options: DrawOptions = {}): Line {
  const { searched = [], find, maxChars = ROW_CHARS, breaks = false, places = false, plain = false } = options;
  const texts = searched.map((text) => text.toLowerCase()).filter((text) => text !== '');
  const wanted: Wanted = { texts, find };
  const shown = cut(message, maxChars);
  const pieces: Piece[] = [];
  for (const { text, look } of ansiSpans(shown)) {
    const own = { look: plain ? PLAIN : look, ...(look.href !== undefined && !plain && { href: look.href }) };
    let from = 0;
    for (const match of text.matchAll(UNSAFE)) {
      if (breaks && match[0] === '\n') continue;
      pushParts(pieces, text.slice(from, match.index), own, { wanted, places });
      pushToken(pieces, match[0], own.look);
      from = match.index + match[0].length;
    }
    pushParts(pieces, text.slice(from), own, { wanted, places });
  }
  return { pieces, hiddenChars: message.length - shown.length };
}

/** A stranger's text where only text can stand, such as a title: what would turn, hide or overflow it is named, as `‹RLO›`. */
export function visible(text: string, options: { breaks?: boolean } = {}): string {
  const { pieces } = drawLine(text, { ...options, maxChars: text.length });
  return pieces.map((piece) => (piece.kind === 'token' ? `‹${piece.text}›` : piece.text)).join('');
}

/** The message as plain text: without colours, for copying and labels. */
export function plainLine(message: string): string {
  return plainText(message);
}

type Own = Pick<Piece, 'look' | 'href'>;

/** Text cut at what means something by itself. */
function pushParts(pieces: Piece[], text: string, own: Own, how: { wanted: Wanted; places: boolean }): void {
  let from = 0;
  for (const { start, end, kind } of how.places && own.href === undefined ? placesIn(text) : []) {
    pushText(pieces, text.slice(from, start), own, how.wanted);
    const part = text.slice(start, end);
    if (kind === 'link') pushText(pieces, part, { ...own, href: part }, how.wanted);
    else if (hitsIn(part, how.wanted).length > 0) pushText(pieces, part, own, how.wanted);
    else pieces.push({ text: part, look: own.look, kind });
    from = end;
  }
  pushText(pieces, text.slice(from), own, how.wanted);
}

function pushText(pieces: Piece[], text: string, own: Own, wanted: Wanted): void {
  if (text === '') return;
  let from = 0;
  for (const [start, end] of hitsIn(text, wanted)) {
    if (start > from) pieces.push({ ...own, text: text.slice(from, start), kind: 'text' });
    pieces.push({ ...own, text: text.slice(start, end), kind: 'hit' });
    from = end;
  }
  if (from < text.length) pieces.push({ ...own, text: text.slice(from), kind: 'text' });
}

/** Where it stands that is looked for, from the first on; of what overlaps, that which begins first. */
function hitsIn(text: string, { texts, find }: Wanted): readonly Span[] {
  if (texts.length === 0 && find === undefined) return [];
  const folded = text.toLowerCase();
  // Folding may change the length of rare letters; then the places would be wrong, and no mark is better than a wrong one.
  const searched = folded.length === text.length ? texts : [];
  const all = searched.flatMap((wanted) => {
    const places: Span[] = [];
    for (let at = folded.indexOf(wanted); at !== -1; at = folded.indexOf(wanted, at + wanted.length)) {
      places.push([at, at + wanted.length]);
    }
    return places;
  });
  let end = 0;
  return [...all, ...(find?.(text) ?? [])]
    .sort(([a, aEnd], [b, bEnd]) => a - b || bEnd - aEnd)
    .filter(([start, stop]) => {
      const free = start >= end;
      if (free) end = stop;
      return free;
    });
}

function pushToken(pieces: Piece[], unsafe: string, look: Look): void {
  pieces.push({ ...unsafeName(unsafe), look, kind: 'token' });
}

/** The first `maxChars` characters, never half of a pair; of a line that is drawn over, what it came to in the end. */
function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const final = text.trimEnd().lastIndexOf('\r') + 1;
  if (final > 0 && !text.includes('\n')) return cut(text.slice(final), maxChars);
  const last = text.charCodeAt(maxChars - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? maxChars - 1 : maxChars);
}
