/*
 * What a person said themselves: a text with spaces in the place of code and quotes, so that a command that somebody only shows or
 * quotes starts nothing. Each character keeps its place. Every step reads the text once: a hostile text costs no more than another.
 */

/** GitHub's Markdown: fenced, indented and inline code, quotes, HTML comments and HTML's own code and quotes. */
export function spokenMarkdown(text: string): string {
  const blank = new Blank(text);
  blank.pairs('<!--', '-->');
  for (const tag of ['pre', 'code', 'blockquote']) blank.pairs(`<${tag}>`, `</${tag}>`);
  blankBlocks(blank, text);
  for (const paragraph of paragraphs(blank.toString())) blankSpans(blank, paragraph);
  return blank.toString();
}

/** Jira's wiki markup. A mark that is not closed hides the rest. */
export function spokenWiki(text: string): string {
  const blank = new Blank(text);
  let from = 0;
  for (;;) {
    WIKI_OPEN.lastIndex = from;
    const open = WIKI_OPEN.exec(text);
    if (open === null) break;
    const close = `{${open[1]}}`;
    const end = text.indexOf(close, open.index + open[0].length);
    from = end < 0 ? text.length : end + close.length;
    blank.range(open.index, from);
  }
  for (const { start, line } of lines(text)) {
    if (/^\s*(bq\.|>)/.test(line)) blank.range(start, start + line.length);
    for (const code of line.matchAll(/\{\{[^{}]*\}\}/g))
      blank.range(start + code.index, start + code.index + code[0].length);
  }
  return blank.toString();
}

const WIKI_OPEN = /\{(code|noformat|quote)(?::[^}\n]{0,200})?\}/g;

/** Slack's own marks. */
export function spokenMrkdwn(text: string): string {
  const blank = new Blank(text);
  blank.pairs('```', '```');
  for (const { start, line } of lines(text)) {
    if (/^\s*>/.test(line)) blank.range(start, start + line.length);
    for (const code of line.matchAll(/`[^`]*`/g)) blank.range(start + code.index, start + code.index + code[0].length);
  }
  return blank.toString();
}

class Blank {
  readonly #text: string;
  /** Where blanks begin (+1) and end (-1), by place. */
  readonly #edges = new Map<number, number>();

  constructor(text: string) {
    this.#text = text;
  }

  range(start: number, end: number): void {
    if (end <= start) return;
    this.#edges.set(start, (this.#edges.get(start) ?? 0) + 1);
    this.#edges.set(end, (this.#edges.get(end) ?? 0) - 1);
  }

  /** Everything between two marks; the rest of the text where the second is missing. Marks are found in any case. */
  pairs(open: string, close: string): void {
    const folded = foldAscii(this.#text);
    for (let start = folded.indexOf(open); start >= 0; ) {
      const end = folded.indexOf(close, start + open.length);
      const after = end < 0 ? folded.length : end + close.length;
      this.range(start, after);
      start = folded.indexOf(open, after);
    }
  }

  toString(): string {
    const places = [...this.#edges.keys()].sort((a, b) => a - b);
    let shown = '';
    let depth = 0;
    let from = 0;
    for (const place of [...places, this.#text.length]) {
      const piece = this.#text.slice(from, place);
      shown += depth > 0 ? piece.replace(/[^\n]/g, ' ') : piece;
      depth += this.#edges.get(place) ?? 0;
      from = place;
    }
    return shown;
  }
}

/** `toLowerCase` may make a text longer, which would move every place after it. */
function foldAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function* lines(text: string): Generator<{ start: number; line: string }> {
  for (let start = 0; start <= text.length; ) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? undefined : end);
    yield { start, line };
    start += line.length + 1;
  }
}

/** Whole lines: fences with what they hold, quotes, and code that is indented after an empty line. */
function blankBlocks(blank: Blank, text: string): void {
  let fence: string | undefined;
  let afterEmpty = true;
  for (const { start, line } of lines(text)) {
    const mark = FENCE.exec(line)?.[1];
    const quoted = fence === undefined && /^\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)?>/.test(line);
    const indented: boolean = afterEmpty && /^(?: {4}| {0,3}\t)/.test(line);
    if (fence !== undefined || quoted || indented || mark !== undefined) blank.range(start, start + line.length);
    if (fence === undefined) {
      if (!quoted && !indented) fence = mark;
    } else if (mark?.startsWith(fence) && line.trim() === mark) {
      fence = undefined;
    }
    afterEmpty = line.trim() === '' || (afterEmpty && indented);
  }
}

const FENCE = /^\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(`{3,}(?=[^`]*$)|~{3,})/;

function* paragraphs(text: string): Generator<{ start: number; paragraph: string }> {
  let from = 0;
  for (const gap of text.matchAll(/\n[ \t\r]*\n/g)) {
    yield { start: from, paragraph: text.slice(from, gap.index) };
    from = gap.index + gap[0].length;
  }
  yield { start: from, paragraph: text.slice(from) };
}

/** Inline code: a run of backticks up to the next run of the same length. */
function blankSpans(blank: Blank, { start, paragraph }: { start: number; paragraph: string }): void {
  const runs = [...paragraph.matchAll(/`+/g)];
  const seen = new Map<number, number>();
  const closing = new Array<number | undefined>(runs.length);
  for (let index = runs.length - 1; index >= 0; index--) {
    const length = runs[index]?.[0].length ?? 0;
    closing[index] = seen.get(length);
    seen.set(length, index);
  }
  for (let index = 0; index < runs.length; index++) {
    const [open, last] = [runs[index], closing[index]];
    const close = last === undefined ? undefined : runs[last];
    if (open === undefined || close === undefined || last === undefined) continue;
    blank.range(start + open.index, start + close.index + close[0].length);
    index = last;
  }
}
