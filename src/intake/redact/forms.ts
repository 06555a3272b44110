import { isFrame } from './pem.ts';

/** Shortest value that is hidden: a shorter one would hide ordinary words. */
export const LEAST_CHARS = 8;
/** A longer form is looked for in pieces of this length, so that one look costs no more however long a value is. */
const PIECE_CHARS = 64;

export interface Form {
  readonly text: string;
  /** Base64: one more letter on each side, and the padding, may hold bits of it. */
  readonly base64: boolean;
}

/** What a value looks like where it may stand: as it is, in JSON, in a URL, in base64; and each line of it. */
export function formsOf(value: string): readonly Form[] {
  const texts = new Map<string, Form>();
  const add = (text: string, base64: boolean): void => {
    if (text.length < LEAST_CHARS) return;
    for (const piece of pieces(text)) if (!texts.has(piece)) texts.set(piece, { text: piece, base64 });
  };
  for (const text of new Set([value.trim(), ...linesOf(value).filter((line) => !isFrame(line))])) {
    if (text.length < LEAST_CHARS) continue;
    for (const form of [text, ...inJson(text), ...inUrls(text)]) add(form, false);
    for (const form of inBase64(text)) add(form, true);
  }
  return [...texts.values()];
}

/** The lines of a value, without blanks around them. */
export function linesOf(value: string): readonly string[] {
  return value.split(/[\r\n]+/).map((line) => line.trim());
}

/** As `JSON.stringify` writes it, once and twice, and as those do who escape more: all but ASCII, slashes, `<>&`. */
function inJson(value: string): readonly string[] {
  const once = JSON.stringify(value).slice(1, -1);
  const escaped = (text: string, characters: RegExp): string =>
    text.replace(characters, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [
    once,
    JSON.stringify(once).slice(1, -1),
    escaped(once, /[\u0080-\uffff]/g),
    escaped(once, /[<>&]/g),
    once.replaceAll('/', '\\/'),
  ];
}

/** As part of a URL or of a form: more or less of it escaped, in large and in small letters, a blank as `%20` and as `+`. */
function inUrls(value: string): readonly string[] {
  const part = encodeURIComponent(value);
  const strict = part.replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const asForm = new URLSearchParams({ '': value }).toString().slice(1);
  const forms = [encodeURI(value), part, strict, strict.replaceAll('%2F', '/'), asForm, part.replaceAll('%20', '+')];
  return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase()))];
}

/** What of it stays the same in base64, whatever stands around it: at each of the three places that a byte can have. */
function inBase64(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const core = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** The last piece overlaps the one before, so that none is short. */
function pieces(text: string): readonly string[] {
  if (text.length <= PIECE_CHARS) return [text];
  const starts = Array.from({ length: Math.floor(text.length / PIECE_CHARS) }, (_, index) => index * PIECE_CHARS);
  return [...starts, text.length - PIECE_CHARS].map((start) => text.slice(start, start + PIECE_CHARS));
}
