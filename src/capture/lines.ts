import { isUtf8 } from 'node:buffer';
import type { JsonObject } from '../core/entry.ts';
import { LINE_BYTES } from '../core/limits.ts';
import { Redraw } from './redraw.ts';

/**
 * A line as it was printed. `metadata` says what was done to it:
 * - `continued: true`: the line was over the limit, and this is what follows of it
 * - `redraws: n`: it was drawn over n times (`\r`), and this is how it looked in the end
 * - `invalid_utf8: n`: n places held bytes that are no UTF-8, each is U+FFFD now
 */
export interface CapturedLine {
  readonly message: string;
  readonly metadata: JsonObject | null;
}

const LF = 0x0a;
const CR = 0x0d;
const NONE: Buffer = Buffer.alloc(0);

/**
 * Cut a stream of bytes into lines, whatever the chunks: characters and line breaks split over two of them stay whole. LF and
 * CR LF end a line. Memory is bounded by the longest line: what is over it goes out at once and is continued, and what a
 * progress bar has drawn over is forgotten.
 *
 * Most output is plain, so whole runs of lines are decoded and split at once; only lines with a CR, with bad bytes or of great
 * length are looked at singly.
 */
export class LineCutter {
  readonly #maxBytes: number;
  /** Bytes of the unended line that are not in `#redraw`. */
  #rest: Buffer = NONE;
  #redraw: Redraw | undefined;
  /** Damaged places in what went into `#redraw`. */
  #invalid = 0;
  #continued = false;

  /** @param maxBytes longest line in bytes of UTF-8 (default 1 MiB) */
  constructor(maxBytes = LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk ends, in order. */
  push(chunk: Uint8Array): CapturedLine[] {
    const bytes = this.#joined(chunk);
    const end = bytes.lastIndexOf(LF) + 1;
    const lines: CapturedLine[] = [];
    if (end > 0) this.#cut(bytes.subarray(0, end), lines);
    // A copy: the chunk may be a view of a large buffer that should not stay for the sake of its last bytes.
    this.#rest = end === bytes.length ? NONE : Buffer.from(bytes.subarray(end));
    this.#boundRest(lines);
    return lines;
  }

  /** The unended last line, if there is one. The cutter can be used again afterwards. */
  end(): CapturedLine[] {
    if (this.#rest.length === 0 && !this.#redraw && !this.#continued) return [];
    const lines: CapturedLine[] = [];
    const line = this.#rest;
    this.#rest = NONE;
    if (line.length > 0 || this.#redraw) this.#line(line, lines);
    this.#continued = false;
    return lines;
  }

  /** Something was printed since the last line ended. */
  get unended(): boolean {
    return this.#rest.length > 0 || this.#redraw !== undefined;
  }

  /** The unended line as it looks now; empty when there is none. */
  get partial(): string {
    const text = decoded(completeCharacters(this.#rest)).message;
    if (!this.#redraw && !text.includes('\r')) return text;
    return this.#redraw ? this.#redraw.preview(text) : new Redraw().preview(text);
  }

  #joined(chunk: Uint8Array): Buffer {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    return this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  /** Whole lines, each with its LF. */
  #cut(bytes: Buffer, lines: CapturedLine[]): void {
    const plain = !this.#redraw && !this.#continued && isUtf8(bytes) && !hasInnerReturn(bytes);
    if (!plain || bytes.length > this.#maxBytes) {
      let start = 0;
      for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
        this.#line(bytes.subarray(start, end), lines);
        start = end + 1;
      }
      return;
    }
    const text = bytes.toString('utf8', 0, bytes.length - 1);
    for (const line of text.split('\n')) {
      lines.push({ message: line.endsWith('\r') ? line.slice(0, -1) : line, metadata: null });
    }
  }

  /** One line without its LF. */
  #line(bytes: Buffer, lines: CapturedLine[]): void {
    const whole = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
    if (this.#redraw || whole.includes(CR)) {
      const redraw = this.#redraw ?? new Redraw();
      this.#redraw = undefined;
      const { message, invalid } = decoded(whole);
      redraw.write(message);
      this.#push(redraw.text, { redraws: redraw.returns, invalid: this.#invalid + invalid }, lines);
      this.#invalid = 0;
    } else {
      this.#piece(this.#pieces(whole, lines), lines);
    }
    this.#continued = false;
  }

  /** Take off what is over the limit, piece by piece; answers what is left. */
  #pieces(bytes: Buffer, lines: CapturedLine[]): Buffer {
    let rest = bytes;
    while (rest.length > this.#maxBytes) {
      const end = characterStart(rest, this.#maxBytes);
      this.#piece(rest.subarray(0, end), lines);
      this.#continued = true;
      rest = rest.subarray(end);
    }
    return rest;
  }

  #piece(bytes: Buffer, lines: CapturedLine[]): void {
    const { message, invalid } = decoded(bytes);
    this.#push(message, { redraws: 0, invalid }, lines);
  }

  /** A bad byte is three bytes as U+FFFD, and a redraw adds colours: what became too long goes on in following lines. */
  #push(message: string, marks: Marks, lines: CapturedLine[]): void {
    if (message.length <= this.#maxBytes / 3 || Buffer.byteLength(message) <= this.#maxBytes) {
      lines.push({ message, metadata: this.#marks(marks) });
      return;
    }
    const bytes = Buffer.from(message);
    for (let start = 0; start < bytes.length; ) {
      const rest = bytes.subarray(start);
      const end = rest.length > this.#maxBytes ? characterStart(rest, this.#maxBytes) : rest.length;
      lines.push({ message: rest.toString('utf8', 0, end), metadata: this.#marks(marks) });
      this.#continued = true;
      start += end;
    }
  }

  /** An unended line that draws over itself, or grows without end, must not take memory without end. */
  #boundRest(lines: CapturedLine[]): void {
    // A CR at the very end may belong to the LF that comes next.
    const last = this.#rest.subarray(0, -1).lastIndexOf(CR);
    if (last !== -1) {
      this.#redraw ??= new Redraw();
      const { message, invalid } = decoded(this.#rest.subarray(0, last + 1));
      this.#redraw.write(message);
      this.#invalid += invalid;
      this.#rest = Buffer.from(this.#rest.subarray(last + 1));
    }
    if (this.#rest.length <= this.#maxBytes) return;
    if (this.#redraw) {
      this.#line(this.#rest, lines);
      this.#rest = NONE;
    } else {
      this.#rest = Buffer.from(this.#pieces(this.#rest, lines));
    }
    this.#continued = true;
  }

  #marks({ redraws, invalid }: Marks): JsonObject | null {
    if (!this.#continued && redraws === 0 && invalid === 0) return null;
    return {
      ...(this.#continued && { continued: true }),
      ...(redraws > 0 && { redraws }),
      ...(invalid > 0 && { invalid_utf8: invalid }),
    };
  }
}

interface Marks {
  readonly redraws: number;
  readonly invalid: number;
}

/** A CR that does not belong to a CR LF. */
function hasInnerReturn(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(CR); at !== -1; at = bytes.indexOf(CR, at + 1)) if (bytes[at + 1] !== LF) return true;
  return false;
}

function decoded(bytes: Buffer): { message: string; invalid: number } {
  const message = bytes.toString('utf8');
  if (isUtf8(bytes)) return { message, invalid: 0 };
  // U+FFFD that was printed as such is no damage.
  return { message, invalid: message.split('\ufffd').length - bytes.toString('latin1').split('\xef\xbf\xbd').length };
}

/** The last place at or before `index` where a character starts. Bytes 10xxxxxx go on with a character of at most four. */
function characterStart(bytes: Buffer, index: number): number {
  let start = index;
  while (start > 0 && index - start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start === 0 ? index : start;
}

/** Without the first bytes of a character whose rest has not come yet. */
function completeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
