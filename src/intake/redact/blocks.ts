import type { Redactor } from '../redact.ts';
import { uncoloured } from './colours.ts';
import { LEAST_CHARS } from './forms.ts';
import { keyBegun, keyEnded, PRIVATE_KEY } from './pem.ts';

/** Whose lines follow one another. */
export interface Place {
  readonly taskId: string;
  readonly source?: string | undefined;
  readonly stream?: string | null | undefined;
}

/** A key whose lines come one by one, or lines of a registered value that are too short to be known by themselves. */
type Block =
  | { readonly is: 'key'; readonly prefixChars: number; readonly lines: number; readonly others: number }
  | { readonly is: 'value'; readonly next: ReadonlySet<string> };

/** Blocks that are open at a time, lines of one key, and other lines in a row after which it counts as broken off. */
const BLOCKS = 1_000;
const KEY_LINES = 400;
const OTHER_LINES = 3;
/** A last word of so many letters is a line of a key, wherever it begins. */
const WORD_CHARS = 16;
const MARK = `[redacted:${PRIVATE_KEY}]`;
const BASE64 = /^=?[A-Za-z0-9+/]+={0,2}$/;
const HEADER = /^\s*(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID): /;

/**
 * Masks the lines of tasks as they come, one after the other, and so also those secrets that only their neighbours give away: the
 * body of a private key, and short lines of a registered value. A place, a task's source and stream, is
 *
 *   free      most of the time: each line is masked by itself
 *   in a key  from its first line to its last, to three other lines in a row, or for 400 lines: what looks like base64 is a line of it
 *   in a value  behind a line of a registered value: the next line is compared with the short line that follows there
 *
 * It knows what came since it was made, and no more.
 */
export class Blocks {
  readonly #redactor: Redactor;
  readonly #open = new Map<string, Block>();
  /** What the neighbours of the last line gave away in it; what goes with the line may repeat it. */
  hidden: string | null = null;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  mask(text: string, place: Place): string {
    this.hidden = null;
    const masked = this.#redactor.mask(text);
    if (this.#open.size > 0) {
      const key = keyOf(place);
      const block = this.#open.get(key);
      if (block?.is === 'key') return this.#inKey(text, masked, { key, block });
      if (block?.is === 'value') {
        this.#open.delete(key);
        const line = text.trim();
        if (block.next.has(line)) {
          this.#redactor.tell('registered');
          this.#openValue(line, key);
          this.hidden = line;
          return '[redacted:registered]';
        }
      }
    }
    // A first line is masked by itself, so nearly every line is done here.
    if (masked !== text) this.#begin(text, place);
    return masked;
  }

  /** A text that goes with the line that was masked last, without what was hidden there because of its neighbours. */
  beside(text: string): string {
    const { hidden } = this;
    if (hidden === null || !text.includes(hidden)) return text;
    return hidden.length >= LEAST_CHARS || text.trim() === hidden ? text.replaceAll(hidden, MARK) : text;
  }

  /** The same for a line that is not ended: within a block nothing is shown of it. */
  maskUnended(text: string, place: Place): string {
    return this.#open.has(keyOf(place)) ? '' : this.#redactor.maskUnended(text);
  }

  /** What is open now. Given back to `restore` when the lines that followed were not taken: they come again. */
  snapshot(): ReadonlyMap<string, unknown> {
    return this.#open.size === 0 ? NONE : new Map(this.#open);
  }

  restore(snapshot: ReadonlyMap<string, unknown>): void {
    for (const [key, block] of snapshot as ReadonlyMap<string, Block>) this.#open.set(key, block);
  }

  #begin(text: string, place: Place): void {
    const plain = uncoloured(text);
    const last = plain.trimEnd().split('\n').at(-1) ?? '';
    const prefix = keyBegun(last);
    if (prefix !== undefined) {
      const prefixChars = prefix.trim() === '' ? 0 : prefix.length;
      this.#set(keyOf(place), { is: 'key', prefixChars, lines: 0, others: 0 });
    } else {
      this.#openValue(last.trim(), keyOf(place));
    }
  }

  #openValue(line: string, key: string): void {
    const next = this.#redactor.linesBehind(line);
    if (next) this.#set(key, { is: 'value', next });
  }

  #inKey(text: string, masked: string, at: { key: string; block: Block & { is: 'key' } }): string {
    const { key, block } = at;
    const plain = uncoloured(text);
    this.#open.delete(key);
    if (keyEnded(plain)) return this.#counted(MARK);
    const from = bodyFrom(plain, block.prefixChars);
    const others = from === undefined && plain.trim() !== '' ? block.others + 1 : 0;
    if (others < OTHER_LINES && block.lines < KEY_LINES)
      this.#open.set(key, { ...block, lines: block.lines + 1, others });
    if (from === undefined) return masked;
    this.hidden = plain.slice(from).trim();
    return this.#counted(`${this.#redactor.mask(plain.slice(0, from))}${MARK}`);
  }

  #counted(masked: string): string {
    this.#redactor.tell(PRIVATE_KEY);
    return masked;
  }

  #set(key: string, block: Block): void {
    this.#open.delete(key);
    const [oldest] = this.#open.keys();
    if (this.#open.size >= BLOCKS && oldest !== undefined) this.#open.delete(oldest);
    this.#open.set(key, block);
  }
}

const NONE: ReadonlyMap<string, unknown> = new Map();

/** Where in a line the body of a key begins, behind a time and the like; undefined for a line that is none of it. */
function bodyFrom(line: string, prefixChars: number): number | undefined {
  if (HEADER.test(line.slice(prefixChars))) return prefixChars;
  const word = /\S+$/.exec(line.trimEnd().slice(-4_096))?.[0] ?? '';
  if (!BASE64.test(word)) return undefined;
  const from = line.trimEnd().length - word.length;
  const isAlone = line.slice(0, from).trim() === '';
  return isAlone || from === prefixChars || word.length >= WORD_CHARS ? from : undefined;
}

function keyOf({ taskId, source, stream }: Place): string {
  return `${stream ?? ''}\n${source ?? ''}\n${taskId}`;
}
