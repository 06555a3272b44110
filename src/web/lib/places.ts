import { isSafeLink } from './ansi.ts';

/** A stretch of a text that means something by itself. */
export interface Place {
  readonly start: number;
  readonly end: number;
  readonly kind: 'link' | 'file' | 'redacted';
}

/** Only at the start of a word, so that a long one is looked at once. */
const PLACE = new RegExp(
  [
    String.raw`(?<link>\bhttps?:\/\/[^\s<>"'\x60\u0000-\u001f\u007f-\u00a0]{1,2000})`,
    String.raw`(?<redacted>\[redacted:[a-z0-9-]{1,40}\])`,
    String.raw`(?<file>(?<![\w./\\@+-])(?:[A-Za-z]:\\|\.{0,2}\/)?(?:[\w@+.-]{1,100}[\\/]){0,30}[\w@+-][\w@+.-]{0,100}\.[A-Za-z][A-Za-z0-9]{0,7}:\d{1,7}(?::\d{1,5})?(?![\w.]))`,
  ].join('|'),
  'g',
);
/** What ends a sentence and not an address. */
const TRAIL = /[.,;:!?'"]+$/;

/** Addresses, places in files (`src/a.ts:12:3`) and marks of masked secrets in a text, in order. */
export function placesIn(text: string): readonly Place[] {
  if (!text.includes(':')) return [];
  const places: Place[] = [];
  for (const match of text.matchAll(PLACE)) {
    const [found] = match;
    const start = match.index;
    if (match.groups?.link !== undefined) {
      const address = trimmed(found);
      if (isSafeLink(address)) places.push({ start, end: start + address.length, kind: 'link' });
    } else if (match.groups?.redacted !== undefined) {
      places.push({ start, end: start + found.length, kind: 'redacted' });
    } else places.push({ start, end: start + found.length, kind: 'file' });
  }
  return places;
}

/** Without what stands around an address: the end of a sentence, and brackets that it did not open. */
function trimmed(address: string): string {
  let rest = address.replace(TRAIL, '');
  for (const [open, close] of ['()', '[]', '{}'].map((pair) => [...pair] as [string, string])) {
    const surplus = (): boolean => rest.endsWith(close) && rest.split(close).length > rest.split(open).length;
    while (surplus()) rest = rest.slice(0, -1).replace(TRAIL, '');
  }
  return rest;
}
