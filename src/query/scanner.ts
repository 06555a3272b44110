import { TrailError } from '../core/error.ts';

/** A part of a query's text: from this place up to that one, in UTF-16 code units. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A value as it was written: quoted, or bare. */
export interface Value extends Span {
  readonly value: string;
}

/** Most characters of the query that a message repeats. */
const GOT_CHARS = 40;
const SPACE = /\s*/y;
const SPACE_OR_END = /[\s)]|$/y;

/** Walks along the text of a query. */
export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The character that comes next; empty at the end. */
  get next(): string {
    return this.text.charAt(this.at);
  }

  skipSpace(): void {
    this.take(SPACE);
  }

  /** What a sticky pattern finds right here; the scanner is behind it then. */
  take(pattern: RegExp): RegExpExecArray | null {
    const match = this.#find(pattern);
    if (match) this.at += match[0].length;
    return match;
  }

  looksAt(pattern: RegExp): boolean {
    return this.#find(pattern) !== null;
  }

  /** Whether a word may end here. */
  atBoundary(): boolean {
    return this.looksAt(SPACE_OR_END);
  }

  /** A quoted text. A backslash makes a quote or a backslash plain; before anything else it stands for itself. */
  quoted(): Value {
    const from = this.at;
    let value = '';
    for (let at = from + 1; at < this.text.length; at++) {
      const char = this.text.charAt(at);
      if (char === '"') {
        this.at = at + 1;
        return { value, from, to: this.at };
      }
      const after = this.text.charAt(at + 1);
      if (char === '\\' && (after === '"' || after === '\\')) at += 1;
      value += this.text.charAt(at);
    }
    throw this.fault({ from, to: this.text.length }, 'a closing quote (")');
  }

  /** All up to a space, or to a parenthesis that was not opened in it; a value in a list also ends at a comma. */
  bare(inList = false): Value {
    const from = this.at;
    let open = 0;
    for (; this.at < this.text.length; this.at++) {
      const { next } = this;
      if (/\s/.test(next) || (inList && next === ',')) break;
      if (next === '(') open += 1;
      if (next === ')' && --open < 0) break;
    }
    return { value: this.text.slice(from, this.at), from, to: this.at };
  }

  /** What is wrong with a part of the text. */
  fault({ from, to }: Span, expected: string): TrailError {
    const column = from + 1;
    const got = from < to ? JSON.stringify(this.text.slice(from, to).slice(0, GOT_CHARS)) : 'nothing';
    const detail = `column ${column}: expected ${expected}, got ${got}`;
    return new TrailError('invalid_query', `q: ${detail}`, {
      errors: [{ path: 'q', detail, column, length: Math.max(1, to - from) }],
    });
  }

  #find(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }
}
