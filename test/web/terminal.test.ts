import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LineCutter } from '../../src/capture/lines.ts';
import { ansiSpans } from '../../src/web/lib/ansi.ts';
import type { Look } from '../../src/web/lib/look.ts';

/*
 * Output of real programs, recorded by `script` at a terminal of 100 columns, is drawn by the page and by a terminal of the test's own,
 * which shares no code with it. Both must show the same text in the same colours.
 */

const FOLDER = new URL('../fixtures/terminal/', import.meta.url);
const recordings = readdirSync(FOLDER).map((name) => ({ name, bytes: readFileSync(new URL(name, FOLDER)) }));

/** Recordings of programs that move between lines. */
const BETWEEN_LINES = ['moves.txt', 'pull.txt'];

interface Cell {
  readonly char: string;
  readonly style: string;
}

/** A terminal without a right or lower edge. A style is a list such as `fg:3,bold`. */
class Oracle {
  readonly grid: Cell[][] = [[]];
  #x = 0;
  #y = 0;
  #saved = [0, 0];
  #style = new Map<string, string>();

  feed(text: string): this {
    const rest = [...text];
    while (rest.length > 0) {
      const char = rest.shift() ?? '';
      if (char === '\u001b') this.#escape(rest);
      else if (char === '\n') this.#y += 1;
      else if (char === '\r') this.#x = 0;
      else if (char === '\b') this.#x = Math.max(0, this.#x - 1);
      else if (char === '\t') this.#x += 8 - (this.#x % 8);
      else if (char >= ' ') {
        this.#row[this.#x] = { char, style: this.#styleText };
        this.#x += 1;
      }
    }
    return this;
  }

  get #row(): Cell[] {
    while (this.grid.length <= this.#y) this.grid.push([]);
    return this.grid[this.#y] ?? [];
  }

  get #styleText(): string {
    return [...this.#style]
      .map(([key, value]) => `${key}:${value}`)
      .sort()
      .join(',');
  }

  #escape(rest: string[]): void {
    const kind = rest.shift();
    if (kind === ']') {
      while (rest.length > 0) {
        const char = rest.shift();
        if (char === '\u0007' || (char === '\u001b' && rest.shift() === '\\')) return;
      }
    } else if (kind === '(') rest.shift();
    else if (kind === '7') this.#saved = [this.#x, this.#y];
    else if (kind === '8') [this.#x = 0, this.#y = 0] = this.#saved;
    else if (kind === '[') {
      let parameters = '';
      while (rest.length > 0) {
        const char = rest.shift() ?? '';
        if (char >= '@' && char <= '~') {
          this.#control(parameters, char);
          return;
        }
        parameters += char;
      }
    }
  }

  #control(parameters: string, command: string): void {
    const number = Number(parameters) || 0;
    const n = Math.max(1, number);
    const row = this.#row;
    const blank = (from: number, to: number): void => {
      for (let at = from; at < to; at += 1) delete row[at];
    };
    const moves: Record<string, () => void> = {
      A: () => (this.#y = Math.max(0, this.#y - n)),
      B: () => (this.#y += n),
      C: () => (this.#x += n),
      D: () => (this.#x = Math.max(0, this.#x - n)),
      E: () => ([this.#x, this.#y] = [0, this.#y + n]),
      G: () => (this.#x = n - 1),
      K: () => blank(number === 0 ? this.#x : 0, number === 1 ? this.#x + 1 : row.length),
      P: () => row.splice(this.#x, n),
      X: () => blank(this.#x, this.#x + n),
      m: () => this.#select(parameters),
    };
    if (!/[ ?<>=]/.test(parameters)) moves[command]?.();
  }

  #select(parameters: string): void {
    const codes = parameters.split(';');
    while (codes.length > 0) {
      const code = codes.shift() ?? '';
      const [first = '', ...parts] = code.split(':');
      const number = Number(first);
      if (number === 38 || number === 48 || number === 58) {
        const kind = parts[0] ?? codes.shift();
        const length = kind === '5' ? 1 : 3;
        const values = parts.length > 0 ? parts.slice(-length) : codes.splice(0, length);
        if (number !== 58) this.#style.set(number === 38 ? 'fg' : 'bg', values.join('/'));
      } else if (number === 0) this.#style.clear();
      else if (number >= 30 && number <= 37) this.#style.set('fg', String(number - 30));
      else if (number >= 90 && number <= 97) this.#style.set('fg', String(number - 82));
      else if (number >= 40 && number <= 47) this.#style.set('bg', String(number - 40));
      else if (number >= 100 && number <= 107) this.#style.set('bg', String(number - 92));
      else if (ON[number]) this.#style.set(ON[number], '1');
      else for (const name of OFF[number] ?? []) this.#style.delete(name);
    }
  }

  /** One line a row, blanks on its right left out. */
  get lines(): readonly (readonly Cell[])[] {
    return this.grid.map((row) => Array.from(row, (cell) => cell ?? { char: ' ', style: '' }));
  }
}

const ON: Record<number, string> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike',
  21: 'underline',
};
const OFF: Record<number, string[]> = {
  ...{
    22: ['bold', 'dim'],
    23: ['italic'],
    24: ['underline'],
    27: ['inverse'],
    29: ['strike'],
    39: ['fg'],
    49: ['bg'],
  },
};

/** What the page draws, cell by cell. */
function drawn(text: string): Cell[][] {
  const lines: Cell[][] = [[]];
  for (const span of ansiSpans(text)) {
    for (const char of span.text) {
      const line = lines.at(-1) ?? [];
      if (char === '\n') lines.push([]);
      else if (char === '\t')
        for (let to = line.length + 8 - (line.length % 8); line.length < to; ) line.push({ char: ' ', style: '' });
      else line.push({ char, style: styleOf(span.look) });
    }
  }
  return lines;
}

function styleOf({ fg, bg, href: _, ...flags }: Look): string {
  const parts = Object.keys(flags).map((name) => `${name}:1`);
  if (fg !== undefined) parts.push(`fg:${fg}`);
  if (bg !== undefined) parts.push(`bg:${bg}`);
  return parts.sort().join(',');
}

/** A style of the oracle with its colours as the page names them: the sixteen by what the page makes of their own code. */
function asDrawn(style: string): string {
  return style
    .split(',')
    .map((part) => {
      const [name = '', value = ''] = part.split(':');
      return name === 'fg' || name === 'bg' ? `${name}:${colourOf(value)}` : part;
    })
    .sort()
    .join(',');
}

function colourOf(value: string): string {
  const [r = 0, g, b] = value.split('/').map(Number);
  if (g !== undefined) return `rgb(${r} ${g} ${b})`;
  if (r < 16) return ansiSpans(`\u001b[${r < 8 ? 30 + r : 82 + r}mx`)[0]?.look.fg ?? '';
  if (r >= 232) return `rgb(${[0, 0, 0].map(() => 8 + 10 * (r - 232)).join(' ')})`;
  const steps = [0, 95, 135, 175, 215, 255];
  const at = r - 16;
  return `rgb(${[Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((step) => steps[step]).join(' ')})`;
}

const textOf = (cells: readonly Cell[]): string =>
  cells
    .map(({ char }) => char)
    .join('')
    .trimEnd();
const textsOf = (lines: readonly (readonly Cell[])[]): string[] => {
  const texts = lines.map(textOf);
  while (texts.at(-1) === '') texts.pop();
  return texts;
};

for (const { name, bytes } of recordings) {
  test(`what a terminal shows of ${name} is what the page shows: text, and nearly all colours`, () => {
    const text = bytes.toString();
    const wanted = new Oracle().feed(text).lines;
    const shown = drawn(text);
    assert.deepEqual(textsOf(shown), textsOf(wanted));
    let cells = 0;
    let same = 0;
    for (const [y, line] of wanted.entries()) {
      for (const [x, { char, style }] of line.entries()) {
        if (char === ' ' && style === '') continue;
        cells += 1;
        if ((shown[y]?.[x]?.style ?? '') === asDrawn(style)) same += 1;
      }
    }
    assert.ok(cells > 50, `${cells} cells`);
    assert.ok(same / cells >= 0.95, `${same} of ${cells} cells have their colours`);
    assert.ok(!JSON.stringify(ansiSpans(text)).includes('\\u001b'));
  });
}

test('captured line by line, recordings show the same text and no escape character', () => {
  for (const { name, bytes } of recordings) {
    const cutter = new LineCutter();
    const messages = [...cutter.push(bytes), ...cutter.end()].map(({ message }) => message);
    const shown = messages.flatMap((message) => textsOf(drawn(message)).join('\n'));
    while (shown.at(-1) === '') shown.pop();
    assert.ok(!shown.join('').includes('\u001b'), name);
    // Moves between lines have no place in lines of a log: there such a program is seen as it went on.
    if (BETWEEN_LINES.includes(name)) continue;
    assert.deepEqual(shown, textsOf(new Oracle().feed(bytes.toString()).lines), name);
  }
});

test('what a screen would lose stays: nothing clears it, and no move leaves it', () => {
  const shown = (text: string): string =>
    ansiSpans(text)
      .map((span) => span.text)
      .join('');
  assert.equal(shown('kept\n\u001b[2J\u001b[Hcleared'), 'kept\ncleared');
  assert.equal(shown('a\u001b[999Ab\u001b[999Bc'), 'abc');
  assert.equal(shown('a\u001b[99999Cb').length, 502);
});
