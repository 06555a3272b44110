/** Kinds of characters, as bits. */
export const SPACE = 1;
/** Ends a chunk: brackets, quotes and separators. */
export const STOP = 2;
export const DIGIT = 4;
export const LETTER = 8;
export const HEX = 16;
export const SLASH = 32;
export const BACKSLASH = 64;
export const COLON = 128;
export const PUNCTUATION = 256;
export const ALNUM = DIGIT | LETTER;

const WIDE = 0x80;
const KINDS = Uint16Array.from({ length: WIDE }, (_, code) => kindOfAscii(String.fromCharCode(code)));

/** The kind of a character by its code; beyond ASCII there are letters, and signs as bars are drawn with. */
export function kindOf(code: number): number {
  // Not a number: there is no character.
  if (!(code >= WIDE)) return KINDS[code] ?? 0;
  return code >= 0x2010 && code < 0x2c00 ? PUNCTUATION : LETTER;
}

function kindOfAscii(char: string): number {
  if (char <= ' ' || char === '\u007f') return SPACE;
  if (/\d/.test(char)) return DIGIT | HEX;
  if (/[a-f]/i.test(char)) return LETTER | HEX;
  if (/[a-z]/i.test(char)) return LETTER;
  if (/["'`()[\]{}<>,;|=]/.test(char)) return STOP;
  if (char === '/') return SLASH;
  if (char === '\\') return BACKSLASH;
  return char === ':' ? COLON | PUNCTUATION : PUNCTUATION;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** What stands for a value. None has a digit in it. */
const PLACEHOLDERS = [
  '<n>',
  '<id>',
  '<path>',
  '<url>',
  '<ip>',
  '<time>',
  '<duration>',
  '<blob>',
  '<bar>',
  '<value>',
  '<lines>',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** How long the placeholder is that stands at this `<`; 0: there is none. */
export function placeholderAt(text: string, at: number): number {
  return PLACEHOLDERS.find((name) => text.startsWith(name, at))?.length ?? 0;
}

/** A text on its way to its template: read from left to right, parts of it replaced, the rest kept as it is. */
export class Pieces {
  readonly text: string;
  /** Everything before is settled. */
  at = 0;
  #out = '';
  #kept = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Characters of the template so far. */
  get length(): number {
    return this.#out.length + this.at - this.#kept;
  }

  /** Put something in the place of a part that begins at or behind `at`. */
  replace(from: number, to: number, by: string): void {
    this.#out += this.text.slice(this.#kept, from) + by;
    this.#kept = to;
    this.at = to;
  }

  done(): string {
    return this.#kept === 0 && this.at === this.text.length
      ? this.text
      : this.#out + this.text.slice(this.#kept, this.at);
  }
}
