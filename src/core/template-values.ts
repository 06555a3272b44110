import {
  ALNUM,
  DIGIT,
  HEX,
  isDigit,
  kindOf,
  LETTER,
  type Pieces,
  type Placeholder,
  PUNCTUATION,
  SPACE,
  STOP,
} from './template-pieces.ts';

const ZONE = String.raw`(?: ?(?:Z|UTC|GMT)\b|(?: ?[+-])\d\d:?\d\d\b)`;
const CLOCK = String.raw`\d\d?:\d\d:\d\d(?:[.,]\d+)?`;
const MONTHS = 'Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec';
const MONTH = `(?:${MONTHS})[a-z]*`;
const DAYS = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
const DAY = `(?:${DAYS})`;
const NAMES = new Set(`${MONTHS}|${DAYS}`.split('|'));
/** 2026-01-24, 2026/01/24 10:11:12, 2026-01-24T10:11:12.345+01:00 */
const ISO = new RegExp(String.raw`\d{4}([-/])\d\d\1\d\d(?:[T_ ]+(?:${CLOCK}|\d\d:\d\d)${ZONE}?|Z)?(?![\w./-]*\w)`, 'y');
/** 24/Jan/2026:10:11:12 +0100, 24 Jan 2026 10:11:12 GMT */
const DAY_FIRST = new RegExp(String.raw`\d\d?[-/ ]${MONTH}[-/ ]\d{2,4}(?:[:T ] ?${CLOCK}${ZONE}?)?(?![\w/]*\w)`, 'y');
const HOUR = String.raw` +${CLOCK}(?: [AP]M)?(?: [A-Z]{3,4}\b| [+-]\d{4})?`;
/** Jan 24 10:11:12, Sat Jan 24 10:11:12 UTC 2026, Sat, 24 Jan 2026 10:11:12 GMT: behind a date with its year a number is none. */
const NAMED = new RegExp(
  String.raw`(?:${DAY},? +)?(?:(?:${MONTH} +\d\d?,? \d{4}|\d\d?[- ]${MONTH}[- ]\d{4})\b(?:${HOUR})?|` +
    String.raw`${MONTH} +\d\d?\b(?:${HOUR}(?: \d{4}\b(?!\.\d))?)?)`,
  'y',
);
const TIME = new RegExp(`${CLOCK}(?:${ZONE}|(?: ?[AP]M)\\b)?`, 'y');
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])/iy;
const IP4 = /\d{1,3}(?:\.\d{1,3}){3}(?:(?::\d{1,5})?(?![\w.:]*\w)|(?=:\D))/y;
const IP6 = /(?=.{0,38}::|(?:[^:]+:){7})(?:[0-9a-f]{1,4})?(?::(?:[0-9a-f]{1,4})?){2,7}(?:%\w+)?(?![\w:])/iy;
const MAC = /[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:])/iy;
const DURATION = /\d+[dhm](?:\d+(?:\.\d+)?(?:ms|[hms])){1,3}(?![A-Za-z\d])/y;

/** Runs of hexadecimal digits and of mixed letters and digits that are so long are ids. */
const HEX_ID_CHARS = 7;
const MIXED_ID_CHARS = 16;
/** Letters and digits that take turns so often are an id even when there are few. */
const MIXED_GROUPS = 3;
const GROUPED_ID_CHARS = 8;
/** Of equal punctuation so much stays. */
const KEPT_RUN = 3;

/** Settle a part that is no path and no URL: its numbers, times, addresses and ids. It may go beyond `to`, never stops before. */
export function settleValues(pieces: Pieces, from: number, to: number): void {
  const { text } = pieces;
  let at = settleStart(pieces, from);
  while (at < to) {
    const code = text.charCodeAt(at);
    const kind = kindOf(code);
    if ((kind & ALNUM) !== 0 && code < 128) {
      at = settleRun(pieces, at);
    } else if ((kind & PUNCTUATION) !== 0) {
      at = settleRepeats(pieces, at);
    } else {
      at += 1;
    }
  }
  pieces.at = at;
}

/** When a moment begins here, in digits or with the name of a day or a month, put `<time>` there. */
export function settleMoment(pieces: Pieces, at: number): boolean {
  const shape = momentAt(pieces.text, at);
  const end = shape && endOf(shape, pieces.text, at);
  if (end === undefined) return false;
  pieces.replace(at, end, '<time>');
  return true;
}

/** The shape that a moment here may have: a quick look, as most words and numbers are none. */
function momentAt(text: string, at: number): RegExp | undefined {
  if (!isDigit(text.charCodeAt(at))) return NAMES.has(text.slice(at, at + 3)) ? NAMED : undefined;
  let end = at + 1;
  while (isDigit(text.charCodeAt(end))) end += 1;
  const next = text.charCodeAt(end);
  if (end - at === 4) return next === 45 || next === 47 ? ISO : undefined;
  if (end - at > 2 || (next !== 32 && next !== 45 && next !== 47)) return undefined;
  return NAMES.has(text.slice(end + 1, end + 4)) ? DAY_FIRST : undefined;
}

/** Where equal signs begin that come more than three times, only three stay. */
export function settleRepeats(pieces: Pieces, at: number): number {
  const { text } = pieces;
  const code = text.charCodeAt(at);
  let end = at + 1;
  while (text.charCodeAt(end) === code) end += 1;
  if (end - at > KEPT_RUN) pieces.replace(at + KEPT_RUN, end, '');
  return end;
}

/** What may only stand at the start of a chunk: a sign, an address with colons. */
function settleStart(pieces: Pieces, from: number): number {
  const { text } = pieces;
  if (from > 0 && (kindOf(text.charCodeAt(from - 1)) & (SPACE | STOP)) === 0) return from;
  const code = text.charCodeAt(from);
  if ((code === 43 || code === 45) && isDigit(text.charCodeAt(from + 1))) {
    pieces.replace(from, from + 1, '');
    return from + 1;
  }
  let colon = from;
  while (colon < from + 4 && (kindOf(text.charCodeAt(colon)) & HEX) !== 0) colon += 1;
  if (text.charCodeAt(colon) !== 58) return from;
  const address = endOf(IP6, text, from);
  if (address !== undefined && hasDigit(text, from, address)) return put(pieces, '<ip>', from, address);
  return from;
}

function settleRun(pieces: Pieces, from: number): number {
  const { text } = pieces;
  let to = from;
  let digits = 0;
  let groups = 0;
  let all = 0xffff;
  for (let before = 0; to < text.length; to += 1) {
    const code = text.charCodeAt(to);
    const kind = code < 128 ? kindOf(code) & (ALNUM | HEX) : 0;
    if (kind === 0) break;
    all &= kind;
    if ((kind & DIGIT) !== 0) {
      digits += 1;
      if ((before & DIGIT) === 0) groups += 1;
    }
    before = kind;
  }
  const chars = to - from;
  const hex = (all & HEX) !== 0;
  const next = text.charCodeAt(to);
  const end = hex ? settleLinked(pieces, from, { to, next, digits }) : undefined;
  if (end !== undefined) return end;
  if (digits === 0) return to;
  if (digits < chars) {
    const duration = isDigit(text.charCodeAt(from)) ? endOf(DURATION, text, from) : undefined;
    if (duration !== undefined) return put(pieces, '<duration>', from, duration);
    if (isId(text, from, { chars, hex, groups })) return put(pieces, '<id>', from, to);
  }
  return settleNumbers(pieces, from, to);
}

function isId(
  text: string,
  from: number,
  { chars, hex, groups }: { chars: number; hex: boolean; groups: number },
): boolean {
  if (chars >= MIXED_ID_CHARS || (hex && chars >= HEX_ID_CHARS)) return true;
  if (groups >= MIXED_GROUPS && chars >= GROUPED_ID_CHARS) return true;
  return chars > 2 && text.startsWith('0x', from) && /^0x[0-9a-f]+$/i.test(text.slice(from, from + chars));
}

/** A hexadecimal run that punctuation links to others: a UUID, an address, a moment. */
function settleLinked(
  pieces: Pieces,
  from: number,
  { to, next, digits }: { to: number; next: number; digits: number },
): number | undefined {
  const chars = to - from;
  const dash = next === 45;
  const colon = next === 58;
  if (chars === 8 && dash) return matched(pieces, '<id>', UUID, from);
  if (chars === 2 && (dash || colon)) {
    const mac = matched(pieces, '<id>', MAC, from);
    if (mac !== undefined) return mac;
  }
  if (digits < chars) return undefined;
  if (chars <= 2 && colon) return matched(pieces, '<time>', TIME, from);
  if (chars <= 3 && next === 46) return matched(pieces, '<ip>', IP4, from);
  return chars <= 4 && settleMoment(pieces, from) ? pieces.at : undefined;
}

/** The numbers of a run, and what goes on with them behind it: 1.5, 1,234,567, 10:30, 1e-9. */
function settleNumbers(pieces: Pieces, from: number, to: number): number {
  const { text } = pieces;
  let at = from;
  while (at < to) {
    if (!isDigit(text.charCodeAt(at))) {
      at += 1;
      continue;
    }
    at = put(pieces, '<n>', at, numberEnd(text, at));
  }
  return at;
}

function numberEnd(text: string, from: number): number {
  let at = from;
  while (true) {
    while (isDigit(text.charCodeAt(at))) at += 1;
    const code = text.charCodeAt(at);
    if (code === 101 || code === 69) return exponentEnd(text, at);
    // . , : _
    if ((code !== 46 && code !== 44 && code !== 58 && code !== 95) || !isDigit(text.charCodeAt(at + 1))) return at;
    at += 1;
  }
}

function exponentEnd(text: string, from: number): number {
  const sign = text.charCodeAt(from + 1);
  let at = sign === 43 || sign === 45 ? from + 2 : from + 1;
  if (!isDigit(text.charCodeAt(at))) return from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  // 1e5f is no number with an exponent.
  return (kindOf(text.charCodeAt(at)) & LETTER) !== 0 ? from : at;
}

function matched(pieces: Pieces, name: Placeholder, shape: RegExp, from: number): number | undefined {
  const end = endOf(shape, pieces.text, from);
  return end === undefined ? undefined : put(pieces, name, from, end);
}

function put(pieces: Pieces, name: Placeholder, from: number, to: number): number {
  pieces.replace(from, to, name);
  return to;
}

/** Where a sticky shape that begins here ends. */
function endOf(shape: RegExp, text: string, from: number): number | undefined {
  shape.lastIndex = from;
  return shape.test(text) ? shape.lastIndex : undefined;
}

function hasDigit(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (isDigit(text.charCodeAt(at))) return true;
  return false;
}
