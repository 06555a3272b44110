import { changedStyle } from './style.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins the sequences that are looked for
const TOKEN = /\u001b\[([0-9;?]*)([A-Za-z])|[\s\S]/gu;

/** Columns a sequence may move past what is drawn; without a bound, a few bytes would print thousands of spaces. */
const MAX_GAP = 500;
/** Columns that can be drawn over, wider than any terminal; what is printed further right is kept as plain text. */
const MAX_CELLS = 10_000;
const RESET = '\u001b[0m';

interface Cell {
  readonly text: string;
  /** Parameters of `ESC[…m`; empty for none. */
  readonly style: string;
}

/**
 * A line that is drawn over: `\r` (or `ESC[G`) goes back to its start, what follows replaces what stands there, character by character, as a
 * terminal does. `ESC[K` erases to the end, `ESC[2K` all of it, `ESC[nD`, `ESC[nC` and `ESC[nG` move. Colours stay with the
 * characters that were printed in them. Every character takes one cell: for wide ones a terminal would differ by a column.
 */
export class Redraw {
  /** How often the line was started over with something on it. */
  returns = 0;
  #cells: Cell[] = [];
  #column = 0;
  #style = '';
  #tail = '';
  #tailIsOld = false;

  write(text: string): void {
    for (const [token, parameters, command] of text.matchAll(TOKEN)) {
      if (command !== undefined) this.#control(parameters ?? '', command);
      else if (token === '\r') this.#return();
      else if (token === '\b') this.#column = Math.max(0, this.#column - 1);
      else this.#put(token);
    }
  }

  /** The line as it looks now. */
  get text(): string {
    let style = '';
    let text = '';
    for (const cell of this.#cells) {
      if (cell.style !== style) text += (style && RESET) + (cell.style && `\u001b[${cell.style}m`);
      style = cell.style;
      text += cell.text;
    }
    return text + (style && RESET) + this.#tail;
  }

  /** How it would look with more written to it. */
  preview(text: string): string {
    const copy = new Redraw();
    copy.#cells = [...this.#cells];
    copy.#column = this.#column;
    copy.#style = this.#style;
    copy.#tail = this.#tail;
    copy.#tailIsOld = this.#tailIsOld;
    // A CR at the end may become a CR LF; until then the line still shows what it showed.
    copy.write(text.endsWith('\r') ? text.slice(0, -1) : text);
    return copy.text;
  }

  #return(): void {
    if (this.#cells.length > 0) this.returns += 1;
    this.#column = 0;
    this.#tailIsOld = true;
  }

  #put(text: string): void {
    if (this.#column >= MAX_CELLS) {
      this.#tail = this.#tailIsOld ? text : this.#tail + text;
      this.#tailIsOld = false;
      return;
    }
    while (this.#cells.length < this.#column) this.#cells.push({ text: ' ', style: '' });
    this.#cells[this.#column] = { text, style: this.#style };
    this.#column += 1;
  }

  #control(parameters: string, command: string): void {
    const count = Math.min(Number.parseInt(parameters, 10) || 1, MAX_CELLS);
    if (command === 'm') this.#style = changedStyle(this.#style, parameters);
    else if (command === 'K') this.#erase(parameters);
    else if (command === 'G' && count === 1) this.#return();
    else if (command === 'G') this.#column = Math.min(count - 1, this.#cells.length + MAX_GAP);
    else if (command === 'C') this.#column = Math.min(this.#column + count, this.#cells.length + MAX_GAP);
    else if (command === 'D') this.#column = Math.max(0, this.#column - count);
    // Any other sequence moves between lines or sets the terminal up: it draws nothing here.
  }

  #erase(parameters: string): void {
    if (parameters !== '1') this.#tail = '';
    if (parameters === '' || parameters === '0') this.#cells.length = Math.min(this.#cells.length, this.#column);
    else if (parameters === '2') this.#cells = [];
    else if (parameters === '1') this.#cells.fill({ text: ' ', style: '' }, 0, this.#column + 1);
  }
}
