import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import type { Stream } from '../core/entry.ts';

/** How a stream says that nobody reads any more: a closed pipe, a closed terminal, and every write after that. */
const GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

/** Lines are many and small: so much text is worth a write of its own. */
const WRITE_CHARS = 64 * 1024;

/** Where a command prints. The only place that knows whether people or programs read. */
export class Terminal {
  /** What the command answers to its caller. */
  exitCode = 0;
  readonly colour: boolean;
  readonly #out: WriteStream;
  readonly #err: WriteStream;
  #onClosed: () => void = () => process.exit(0);
  #pending = '';
  #flushing: NodeJS.Immediate | undefined;
  #waiting: Promise<void> | undefined;

  constructor(out: WriteStream, err: WriteStream, options: { readonly colour: boolean }) {
    this.#out = out;
    this.#err = err;
    this.colour = out.isTTY === true && options.colour;
    for (const stream of [out, err]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        // `| head` closes our output when it has seen enough: no error.
        if (!GONE.has(error.code ?? '')) throw error;
        if (stream === out) this.#onClosed();
      });
    }
  }

  /** Characters that fit in a row; undefined when a program reads. */
  get columns(): number | undefined {
    return this.#out.isTTY ? this.#out.columns : undefined;
  }

  /** Print, many pieces in one write. Resolves when the reader has room for more. */
  async print(text: string): Promise<void> {
    this.#pending += text;
    if (this.#pending.length >= WRITE_CHARS) await this.flush();
    else this.#flushing ??= setImmediate(() => void this.flush());
  }

  /** Write what is pending. Resolves when the reader has room for more. */
  async flush(): Promise<void> {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    // One waits for room at a time; what others bring meanwhile goes out together.
    while (this.#waiting) await this.#waiting;
    const text = this.#pending;
    this.#pending = '';
    if (text === '' || this.#out.write(text)) return;
    this.#waiting = this.#room().finally(() => {
      this.#waiting = undefined;
    });
    await this.#waiting;
  }

  /** Resolves when everything has left this process, or nobody takes it any more. */
  async end(): Promise<void> {
    await this.flush();
    await Promise.all(
      [this.#out, this.#err].map((stream) => new Promise<void>((left) => stream.write('', () => left()))),
    );
  }

  async #room(): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([once(this.#out, 'drain', { signal }), once(this.#out, 'close', { signal })]);
    } catch {
      // What is wrong with the stream, its own listener has been told.
    } finally {
      over.abort();
    }
  }

  /** Where another program's output goes on unchanged. */
  get streams(): Readonly<Record<Stream, Writable>> {
    return { stdout: this.#out, stderr: this.#err };
  }

  /** One line of ours, never mixed into what a command prints for others. */
  tell(line: string): void {
    this.#err.write(`tasktrail: ${safeText(line.replace(/\s*\n\s*/g, ' '), { colour: false })}\n`);
  }

  /** What to do when nobody reads our output any more, instead of leaving at once. */
  onClosed(handler: () => void): void {
    this.#onClosed = handler;
  }
}

const SGR = '\\u001b\\[[0-9;:]*m';
/**
 * C0 but tab and newline, DEL, C1, and what turns or hides text: zero width, bidi controls, byte order mark, tags. And piles of
 * combining marks, which would paint over other rows.
 */
const UNSAFE =
  '\\p{M}{9,}|[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]';
const UNSAFE_TEXT = new RegExp(UNSAFE, 'gu');
const UNSAFE_OR_SGR = new RegExp(`(${SGR})|${UNSAFE}`, 'gu');
const RESET = '\u001b[0m';

/**
 * A stranger's text, made safe for a terminal: colours may stay, every other control character becomes a sign that can be
 * seen, so that a line cannot move the cursor, rename the window, write the clipboard or hide a part of itself.
 */
export function safeText(text: string, options: { readonly colour: boolean }): string {
  let coloured = false;
  const safe = text.replace(UNSAFE_OR_SGR, (found, sgr: string | undefined) => {
    if (sgr === undefined) return visible(found);
    if (conceals(sgr)) return visible('\u001b') + sgr.slice(1);
    coloured ||= options.colour;
    return options.colour ? sgr : '';
  });
  return coloured ? `${safe}${RESET}` : safe;
}

/** The JSON of one line: what a terminal would obey or not show is escaped, which means the same to whoever reads JSON. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE_TEXT, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${hex(found.charCodeAt(at)).toLowerCase()}`).join(''),
  );
}

/** Whether a change of colours makes the text after it invisible. */
function conceals(sgr: string): boolean {
  const codes = sgr.slice(2, -1).split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at++) {
    if (codes[at] === 8) return true;
    // The numbers of a colour are no codes: `5;n`, or `2;r;g;b`.
    if (codes[at] === 38 || codes[at] === 48) at += codes[at + 1] === 5 ? 2 : 4;
  }
  return false;
}

/** Control characters have pictures in Unicode (U+2400 and on); the others are told by number, piles by how high they are. */
function visible(unsafe: string): string {
  const code = unsafe.codePointAt(0) ?? 0;
  if (unsafe.length > 2) return `<+${unsafe.length} marks>`;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : `<U+${hex(code)}>`;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}

const STYLES = { dim: 2, red: 31, yellow: 33, cyan: 36, green: 32, bold: 1, mark: '1;7' } as const;
export type Style = keyof typeof STYLES;

/** The text in a style, if colours are wanted. */
export function styled(text: string, style: Style | undefined, colour: boolean): string {
  return colour && style ? `\u001b[${STYLES[style]}m${text}${RESET}` : text;
}
