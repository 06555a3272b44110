import { type Look, PLAIN, pushSpan, type Span } from './look.ts';

/** A move of the cursor: the last letter of `ESC[n…`, and its number; 0 when it has none. */
export interface Move {
  readonly command: string;
  readonly count: number;
}

/** The commands that a `Terminal` follows (`s` and `u` keep a place and go back to it); any other sequence draws nothing. */
export const MOVE_COMMANDS = 'ABCDEFGKPXsu';

/**
 * Columns and lines that are drawn over, wider than any terminal; what is further right is left out. And how far a move may go beyond
 * what is drawn: a few bytes must not print thousands of spaces.
 */
const COLUMNS = 10_000;
const GAP = 500;
const TAB = 8;

interface Cell {
  readonly text: string;
  readonly look: Look;
}

/**
 * Lines in which later text takes the place of earlier. Each character has its cell, a wide one two. Lines are never lost: nothing
 * clears the screen, and the cursor stays within the lines that there are.
 */
export class Terminal {
  readonly #lines: (Cell | undefined)[][] = [[]];
  #line = 0;
  #column = 0;
  #kept = { line: 0, column: 0 };

  write(text: string, look: Look): void {
    for (const char of text) this.#put(char, look);
  }

  move({ command, count }: Move): void {
    const steps = Math.max(1, count);
    if ('ABEF'.includes(command)) this.#toLine(command, steps);
    else if (command === 's') this.#kept = { line: this.#line, column: this.#column };
    else if (command === 'u') ({ line: this.#line, column: this.#column } = this.#kept);
    else if (command === 'C') this.#column = Math.min(this.#column + steps, this.#furthest);
    else if (command === 'D') this.#column = Math.max(0, this.#column - steps);
    else if (command === 'G') this.#column = Math.min(steps - 1, this.#furthest);
    else if (command === 'P') this.#cells.splice(this.#column, steps);
    else if (command === 'X') this.#cells.fill(undefined, this.#column, this.#column + steps);
    else if (count === 0) this.#cells.length = Math.min(this.#cells.length, this.#column);
    else this.#cells.fill(undefined, 0, count === 1 ? this.#column + 1 : this.#cells.length);
  }

  /** What it shows. Room on the right of a line that nothing was printed in is left out. */
  spans(): readonly Span[] {
    const spans: Span[] = [];
    for (const [number, cells] of this.#lines.entries()) {
      if (number > 0) pushSpan(spans, '\n', PLAIN);
      const end = cells.findLastIndex((cell) => cell !== undefined) + 1;
      for (let at = 0; at < end; at += 1) {
        const { text, look } = cells[at] ?? { text: ' ', look: PLAIN };
        if (text !== '') pushSpan(spans, text, look);
      }
    }
    return spans;
  }

  get #cells(): (Cell | undefined)[] {
    return this.#lines[this.#line] ?? [];
  }

  get #furthest(): number {
    return Math.min(COLUMNS, this.#cells.length + GAP);
  }

  #toLine(command: string, steps: number): void {
    const line = this.#line + (command === 'A' || command === 'F' ? -steps : steps);
    this.#line = Math.max(0, Math.min(line, this.#lines.length - 1));
    if (command === 'E' || command === 'F') this.#column = 0;
  }

  #put(char: string, look: Look): void {
    if (char === '\r') this.#column = 0;
    else if (char === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (char === '\t') this.#column = Math.min((Math.floor(this.#column / TAB) + 1) * TAB, this.#furthest);
    else if (char === '\n') this.#newLine();
    else if (MARK.test(char)) this.#join(char);
    else if (this.#column < COLUMNS) {
      const cells = this.#cells;
      cells[this.#column] = { text: char, look };
      this.#column += 1;
      if (!WIDE.test(char)) return;
      cells[this.#column] = { text: '', look };
      this.#column += 1;
    }
  }

  /** The column goes back as well: that is what a terminal's driver makes of a line's end. */
  #newLine(): void {
    this.#line += 1;
    this.#column = 0;
    if (this.#line === this.#lines.length) this.#lines.push([]);
  }

  /** A mark belongs to the character before it. */
  #join(mark: string): void {
    const cells = this.#cells;
    let at = this.#column - 1;
    while (at > 0 && cells[at]?.text === '') at -= 1;
    const cell = cells[at];
    if (cell) cells[at] = { text: cell.text + mark, look: cell.look };
    else this.#lines[this.#line] = [{ text: mark, look: PLAIN }, ...cells.slice(1)];
  }
}

/** Marks, joiners and variation selectors: they take no room of their own. */
const MARK = /^(?:\p{M}|\u200d|\ufe0e|\ufe0f)$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;
