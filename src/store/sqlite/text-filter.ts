/*
 * Which texts a block of lines may hold: an array of bytes. Three neighbouring characters choose a byte, the one behind them a bit
 * of it. A text of four characters and more asks for the bits of all its fours, one of three for any bit of its byte. The filter
 * may say "maybe" wrongly, never "no". An array whose halves were laid over each other answers the same way.
 */

/** Bytes of a filter while lines come in: a power of two. */
const BYTES = 16_384;
const LEAST_BYTES = 64;
/** So many of its bits at most are set in a filter that is stored, unless it has its full size: 1 of `SPARSE`. */
const SPARSE = 6;

const HASH = 0x9e3779b1;
/** The three characters before, 7 bits each; larger ones run into each other, which only makes them a little more alike. */
const THREE = 0x1fffff;
const LOWER = Uint8Array.from({ length: 128 }, (_, code) => String.fromCharCode(code).toLowerCase().charCodeAt(0));
const BITS_OF_LOWER = LOWER.map(bitOf);

/** The characters of a message of ASCII only: bytes of an array are read twice as fast as characters of a text. */
const ASCII = new Uint8Array(16_384);
const ENCODER = new TextEncoder();

/** A filter that lines are put into. Reads and writes beyond nothing: every index below is one of the array. */
export class TextFilter {
  readonly #bytes = new Uint8Array(BYTES);

  add(message: string): void {
    const { length } = message;
    const { read, written } = ENCODER.encodeInto(message, ASCII);
    // Any other character takes up more bytes than it has units, and folding may make three of two.
    if (read < length || written > length || length < 3) {
      this.#addFolded(message.toLowerCase());
      return;
    }
    const bytes = this.#bytes;
    let three = (lower(0) << 14) | (lower(1) << 7) | lower(2);
    for (let at = 3; at < length; at++) {
      const code = ASCII[at] as number;
      const place = Math.imul(three, HASH) >>> 18;
      bytes[place] = (bytes[place] as number) | (BITS_OF_LOWER[code] as number);
      three = ((three << 7) | (LOWER[code] as number)) & THREE;
    }
    this.#set(three, bitOf(0));
  }

  /** As it is stored: the smaller, the less the lines differ. */
  packed(): Uint8Array {
    let bytes = this.#bytes.slice();
    while (bytes.length > LEAST_BYTES) {
      const half = halved(bytes);
      if (bitsSet(half) * SPARSE > half.length * 8) break;
      bytes = half;
    }
    return bytes;
  }

  #addFolded(message: string): void {
    if (message.length < 3) return;
    let three = 0;
    for (let at = 0; at < message.length; at++) {
      const code = message.charCodeAt(at);
      if (at > 2) this.#set(three, bitOf(code));
      three = ((three << 7) ^ code) & THREE;
    }
    this.#set(three, bitOf(0));
  }

  #set(three: number, bit: number): void {
    const place = placeOf(three);
    this.#bytes[place] = (this.#bytes[place] as number) | bit;
  }
}

/** A place that a filter must have: a byte (of an array of the largest size), and the bit in it; 255: any bit. */
export interface Mark {
  readonly byte: number;
  readonly bits: number;
}

/** The marks of a text, folded by `toLowerCase`; none for one of less than three characters. */
export function marksOf(folded: string): readonly Mark[] {
  const marks = new Map<string, Mark>();
  let three = 0;
  for (let at = 0; at < folded.length; at++) {
    const code = folded.charCodeAt(at);
    if (at > 2) {
      const mark = { byte: placeOf(three), bits: bitOf(code) };
      marks.set(`${mark.byte} ${mark.bits}`, mark);
    }
    three = ((three << 7) ^ code) & THREE;
  }
  return folded.length === 3 ? [{ byte: placeOf(three), bits: 255 }] : [...marks.values()];
}

/** Whether a stored filter has a mark. */
export function hasMark(packed: Uint8Array, { byte, bits }: Mark): boolean {
  return ((packed[byte & (packed.length - 1)] ?? 0) & bits) !== 0;
}

/** A character of the message in `ASCII`. */
function lower(at: number): number {
  return LOWER[ASCII[at] as number] as number;
}

function placeOf(three: number): number {
  return Math.imul(three, HASH) >>> 18;
}

function bitOf(code: number): number {
  return 1 << ((code ^ (code >>> 3)) & 7);
}

function halved(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const half = bytes.slice(0, bytes.length / 2);
  const words = new Uint32Array(half.buffer);
  const others = new Uint32Array(bytes.buffer, half.length);
  for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) | (others[at] as number);
  return half;
}

function bitsSet(bytes: Uint8Array<ArrayBuffer>): number {
  let set = 0;
  for (const word of new Uint32Array(bytes.buffer)) {
    let bits = word - ((word >>> 1) & 0x55555555);
    bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
    set += Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return set;
}
