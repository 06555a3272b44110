import {
  ALNUM,
  BACKSLASH,
  DIGIT,
  isDigit,
  kindOf,
  LETTER,
  type Pieces,
  PUNCTUATION,
  placeholderAt,
  SLASH,
  SPACE,
  STOP,
} from './template-pieces.ts';
import { settleMoment, settleRepeats, settleValues } from './template-values.ts';

/** Base64 and its like from so many characters on. */
const BLOB_CHARS = 40;
const BLOB = /^[A-Za-z0-9+/_-]+$/;
/** What ends a sentence rather than a path or a URL, and what escapes the quote behind it. */
const TRAILING = /[.,;:!?)\]}…\\]+$/;
const EXTENSION = /\/[^/:<]*\.(?=\d*[A-Za-z])[A-Za-z0-9]{1,8}(?::\d+){0,2}$/;
/** C:\Program Files\node\node.exe: a space in a path of Windows is known by the backslash behind it. */
const WINDOWS_REST = /[^\s"'`<>|;,()[\]{}=:]*(?: [^\s"'`<>|;,()[\]{}=:\\]+\\[^\s"'`<>|;,()[\]{}=:]*)*/y;
const LINE_NUMBER = /(?::\d+){1,2}(?![\w])/y;

/**
 * Settle what stands between spaces, brackets, quotes and separators: a word, or something that has numbers, slashes or
 * punctuation in it. Begins at `pieces.at`.
 */
export function settleChunk(pieces: Pieces): void {
  const { text } = pieces;
  const from = pieces.at;
  let kinds = 0;
  let to = from;
  for (; to < text.length; to += 1) {
    const code = text.charCodeAt(to);
    const kind = kindOf(code);
    if ((kind & (SPACE | STOP)) !== 0) {
      const held = (kind & STOP) !== 0 ? heldAt(text, to, code) : 0;
      if (held === 0) break;
      to += held - 1;
      continue;
    }
    kinds |= kind;
  }
  if ((kinds & (DIGIT | SLASH | BACKSLASH)) === 0) settleWord(pieces, { from, to, kinds });
  else settleMixed(pieces, { from, to, kinds });
}

interface Chunk {
  readonly from: number;
  readonly to: number;
  /** Every kind of character that is in it. */
  readonly kinds: number;
}

/** Placeholders and the commas of a number are no end of a chunk. */
function heldAt(text: string, at: number, code: number): number {
  if (code === 60) return placeholderAt(text, at);
  return code === 44 && isDigit(text.charCodeAt(at - 1)) && isDigit(text.charCodeAt(at + 1)) ? 1 : 0;
}

/** Names of days and months begin a moment: they have three letters, or are longer months. */
function settleWord(pieces: Pieces, { from, to, kinds }: Chunk): void {
  const first = pieces.text.charCodeAt(from);
  if (first >= 65 && first <= 90 && to - from >= 3 && to - from <= 9 && settleMoment(pieces, from)) return;
  if ((kinds & PUNCTUATION) !== 0 && to - from > 3) {
    for (let at = from; at < to; ) {
      at = (kindOf(pieces.text.charCodeAt(at)) & PUNCTUATION) !== 0 ? settleRepeats(pieces, at) : at + 1;
    }
  }
  pieces.at = to;
}

function settleMixed(pieces: Pieces, chunk: Chunk): void {
  const { text } = pieces;
  const { from, to, kinds } = chunk;
  if ((kinds & (SLASH | BACKSLASH)) !== 0) {
    if (isDigit(text.charCodeAt(from)) && settleMoment(pieces, from)) return;
    if (settleUrl(pieces, chunk) || settleWindowsPath(pieces, chunk)) return;
    if ((kinds & SLASH) !== 0 && !isBlob(text, chunk) && settlePath(pieces, chunk)) return;
  }
  if (isBlob(text, chunk)) {
    let end = to;
    while (end - to < 2 && text.charCodeAt(end) === 61) end += 1;
    pieces.replace(from, end, '<blob>');
    return;
  }
  settleValues(pieces, from, to);
}

function isBlob(text: string, { from, to, kinds }: Chunk): boolean {
  if (to - from < BLOB_CHARS || (kinds & DIGIT) === 0) return false;
  const part = text.slice(from, to);
  if (!BLOB.test(part) || !/[A-Z]/.test(part) || !/[a-z]/.test(part) || part.startsWith('/')) return false;
  // Words between slashes and dashes are shorter than chance would have it.
  const links = part.match(/[+/_-]/g)?.length ?? 0;
  return links * 10 <= part.length;
}

function settleUrl(pieces: Pieces, { from, to }: Chunk): boolean {
  const { text } = pieces;
  const colon = text.indexOf('://', from);
  if (colon < 0 || colon >= to) return false;
  let scheme = colon;
  while (scheme > from && isOfScheme(text.charCodeAt(scheme - 1))) scheme -= 1;
  // In a path it is none.
  if (firstSlash(text, from) < colon) return false;
  const end = openEnd(text, colon + 3);
  if (scheme === colon || end === colon + 3) return false;
  return settleAfter(pieces, { from, start: scheme, end, by: '<url>' });
}

/** Where the first slash of a chunk that has one stands. */
function firstSlash(text: string, from: number): number {
  let at = from;
  while (at < text.length && (kindOf(text.charCodeAt(at)) & (SLASH | BACKSLASH)) === 0) at += 1;
  return at;
}

function isOfScheme(code: number): boolean {
  return code < 128 && ((kindOf(code) & ALNUM) !== 0 || code === 43 || code === 45 || code === 46);
}

function settleWindowsPath(pieces: Pieces, { from, to, kinds }: Chunk): boolean {
  const { text } = pieces;
  const unc = (kinds & BACKSLASH) !== 0 && text.startsWith('\\\\', from);
  if (unc && isAlnum(text, from + 2) && text.indexOf('\\', from + 2) < to && text.indexOf('\\', from + 2) > 0) {
    return settleAfter(pieces, { from, start: from, end: windowsEnd(text, from), by: '<path>' });
  }
  const slash = firstSlash(text, from);
  const drive = slash - 2;
  if (drive < from || text.charCodeAt(slash - 1) !== 58) return false;
  if ((kindOf(text.charCodeAt(drive)) & LETTER) === 0 || isLinked(text, drive - 1)) return false;
  return settleAfter(pieces, { from, start: drive, end: windowsEnd(text, slash), by: '<path>' });
}

function windowsEnd(text: string, at: number): number {
  WINDOWS_REST.lastIndex = at;
  WINDOWS_REST.test(text);
  return withLineNumber(text, trimmedEnd(text, at, WINDOWS_REST.lastIndex));
}

/** A path with slashes, behind what leads up to it with a colon: `file:/a/b`. Of a relative one its extension or depth tells. */
function settlePath(pieces: Pieces, { from, to }: Chunk): boolean {
  const { text } = pieces;
  const slash = text.indexOf('/', from);
  let start = slash;
  while (start > from && !isParting(text, start - 1)) start -= 1;
  let segmentEnd = slash;
  while (segmentEnd < to && !isParting(text, segmentEnd)) segmentEnd += 1;
  const end = trimmedEnd(text, start, segmentEnd);
  const next = text.indexOf('/', slash + 1);
  if (!isPath(text, { start, end, deep: next > 0 && next < to })) {
    settleValues(pieces, from, segmentEnd);
    return true;
  }
  const query = text.indexOf('?', slash);
  const whole = query > 0 && query < end ? openEnd(text, query) : withLineNumber(text, end);
  return settleAfter(pieces, { from, start, end: whole, by: '<path>' });
}

/** @param deep there is more than one slash */
function isPath(text: string, { start, end, deep }: { start: number; end: number; deep: boolean }): boolean {
  const path = text.slice(start, end);
  const words = path.replace(/<[a-z]+>/g, '');
  const before = text.charCodeAt(start - 1);
  // </div>
  if (before === 60) return false;
  if (/^(?:~|\.{1,2})?\//.test(path) && !isLinked(text, start - 1)) return /[\p{L}\d]/u.test(words);
  return /\p{L}/u.test(words) && (deep || EXTENSION.test(path));
}

/** Settle what is before a path or URL, then itself. */
function settleAfter(
  pieces: Pieces,
  { from, start, end, by }: { from: number; start: number; end: number; by: '<path>' | '<url>' },
): boolean {
  if (from < start) settleValues(pieces, from, start);
  // What was before reached into it: the rest is looked at anew.
  if (from < start && pieces.at > start) return true;
  pieces.replace(start, end, by);
  return true;
}

/** Where a URL ends: at a space, a quote or an angle. */
function openEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((kindOf(code) & SPACE) !== 0 || code === 34 || code === 39 || code === 96 || code === 62) break;
    if (code === 60) {
      const held = placeholderAt(text, at);
      if (held === 0) break;
      at += held - 1;
    }
  }
  return trimmedEnd(text, from, at);
}

function trimmedEnd(text: string, from: number, to: number): number {
  const trailing = TRAILING.exec(text.slice(from, to))?.[0].length ?? 0;
  return to - trailing;
}

function withLineNumber(text: string, end: number): number {
  LINE_NUMBER.lastIndex = end;
  return LINE_NUMBER.test(text) ? LINE_NUMBER.lastIndex : end;
}

/** A colon that leads to no number, nor to what stands for one. */
function isParting(text: string, at: number): boolean {
  const next = text.charCodeAt(at + 1);
  return text.charCodeAt(at) === 58 && !isDigit(next) && next !== 60;
}

/** What stands here goes on with what follows: a letter, a digit or what stands for one. */
function isLinked(text: string, at: number): boolean {
  return at >= 0 && (isAlnum(text, at) || text.charCodeAt(at) === 62);
}

function isAlnum(text: string, at: number): boolean {
  return (kindOf(text.charCodeAt(at)) & ALNUM) !== 0;
}
