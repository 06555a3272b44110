import { withoutEscapes } from './escapes.ts';
import { TEMPLATE_CHARS } from './limits.ts';
import { settleChunk } from './template-chunk.ts';
import { isObjectStart, objectTemplate } from './template-json.ts';
import { kindOf, Pieces, placeholderAt, SPACE, STOP } from './template-pieces.ts';

/** Of a longer message only the start is looked at. */
const LOOK_CHARS = 10_000;
const MORE_LINES = ' <lines>';
/** Room that an object needs at least, so that its start and its mark of being cut fit. */
const OBJECT_CHARS = 8;
const BAR_CHARS = 5;

/**
 * A message without what differs from one line to the next of the same kind: numbers, times, ids, paths, addresses. Lines of one
 * template are one pattern. A template has no digits and at most `maxChars` characters, and is its own template.
 */
export function template(message: string, maxChars: number = TEMPLATE_CHARS): string {
  const { text, more } = oneLine(message);
  const made = cut(scan(text, maxChars), maxChars - (more ? MORE_LINES.length : 0));
  return more ? made + MORE_LINES : made;
}

/** The first line that is not blank; of JSON that is spread over lines all of them. */
function oneLine(message: string): { text: string; more: boolean } {
  let text = message.length > LOOK_CHARS ? `${message.slice(0, LOOK_CHARS)}…` : message;
  text = withoutEscapes(text);
  if (text.endsWith(MORE_LINES)) return { text: text.slice(0, -MORE_LINES.length), more: true };
  if (!text.includes('\n')) return { text, more: false };
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [first = ''] = lines;
  return first.trim() === '{' ? { text, more: false } : { text: first, more: lines.length > 1 };
}

function scan(text: string, maxChars: number): string {
  let end = text.length;
  while (end > 0 && (kindOf(text.charCodeAt(end - 1)) & SPACE) !== 0) end -= 1;
  const pieces = new Pieces(end < text.length ? text.slice(0, end) : text);
  settleSpace(pieces);
  while (pieces.at < end && pieces.length <= maxChars) {
    const code = pieces.text.charCodeAt(pieces.at);
    const kind = kindOf(code);
    if ((kind & SPACE) !== 0) settleSpace(pieces);
    else if ((kind & STOP) === 0 || (code === 60 && placeholderAt(pieces.text, pieces.at) > 0)) settleChunk(pieces);
    else settleStop(pieces, code, maxChars);
  }
  return pieces.done();
}

/** One space for many, none at the start. */
function settleSpace(pieces: Pieces): void {
  const { text, at } = pieces;
  let end = at;
  while (end < text.length && (kindOf(text.charCodeAt(end)) & SPACE) !== 0) end += 1;
  if (at > 0 && end - at === 1 && text.charCodeAt(at) === 32) pieces.at = end;
  else if (end > at) pieces.replace(at, end, at === 0 ? '' : ' ');
}

/** A bracket, quote or separator, and what it may begin: an object, a bar that shows progress. */
function settleStop(pieces: Pieces, code: number, maxChars: number): void {
  const { text, at } = pieces;
  if (code === 123 && maxChars - pieces.length >= OBJECT_CHARS && isObjectStart(text, at)) {
    const room = maxChars - pieces.length - OBJECT_CHARS / 2;
    const object = objectTemplate(text, at, { room, of: template });
    pieces.replace(at, object.end, object.template);
    return;
  }
  if (code === 91 || code === 124) {
    const end = barEnd(text, at, code === 91 ? 93 : 124);
    if (end !== undefined) {
      pieces.replace(at + 1, end, '<bar>');
      pieces.at = end + 1;
      return;
    }
  }
  let end = at + 1;
  // The last of many may begin a placeholder.
  while (text.charCodeAt(end) === code && !(code === 60 && placeholderAt(text, end) > 0)) end += 1;
  if (end - at > 3 && !isQuote(code)) pieces.replace(at + 3, end, '');
  pieces.at = end;
}

/** Where `[====>    ]` ends: nothing but signs and spaces, and enough of them. */
function barEnd(text: string, at: number, close: number): number | undefined {
  let end = at + 1;
  let signs = 0;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === close) break;
    if ((kindOf(code) & SPACE) !== 0) continue;
    if (!isOfBar(code)) return undefined;
    signs += 1;
  }
  return end < text.length && signs > 0 && end - at > BAR_CHARS ? end : undefined;
}

/** # * + - . = > _ ~ and blocks, dashes and the like */
function isOfBar(code: number): boolean {
  return '#*+-.=>_~'.includes(String.fromCharCode(code)) || (code >= 0x2010 && code < 0x2c00);
}

/** Many of them are an empty text and another, rather than a line that is drawn. */
function isQuote(code: number): boolean {
  return code === 34 || code === 39 || code === 96;
}

function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const start = text.slice(0, maxChars - 1);
  return `${start.isWellFormed() ? start : start.slice(0, -1)}…`;
}
