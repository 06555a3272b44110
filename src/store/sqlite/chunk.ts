import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { isoTime } from '../../core/time.ts';
import { DICTIONARY } from './dictionary.ts';

/** A line as readers want it. */
export interface LineRow {
  seq: number;
  timestamp: string;
  facet_no: number;
  message: string;
  metadata_json: string | null;
}

/** A line with all that the table says of it. */
export interface StoredLine extends LineRow {
  id: number;
}

/** Level 9 takes about 1 ms a chunk and is 6–8 % smaller than level 3; level 19 saves 4–12 % more and takes 15 ms. */
const LEVEL = 9;

/*
 * A chunk, before it is compressed, is text: a line of JSON (the head), then all metadata, then all messages, one a line. Like
 * things lie together, which is what a compressor thrives on, and the messages can be searched as they lie.
 */
interface Head {
  /** Each as the distance to the one before. */
  readonly ids: readonly number[];
  /** The same in ms; a time in any other form than our own stays text. */
  readonly times: readonly (number | string)[];
  readonly facets: readonly number[];
  readonly metadataChars: number;
  /** Texts that hold line breaks, which would else be borders: [index, breaks]. */
  readonly brokenMetadata: Breaks;
  readonly brokenMessages: Breaks;
}

type Breaks = readonly (readonly [index: number, breaks: number])[];

/** Compress lines whose seqs follow one another. */
export function compressLines(lines: readonly StoredLine[]): Uint8Array {
  const messages = lines.map((line) => line.message);
  const metadata = lines.map((line) => line.metadata_json ?? '');
  const metadataText = metadata.join('\n');
  const head: Head = {
    ids: lines.map(({ id }, index) => id - (lines[index - 1]?.id ?? 0)),
    times: distances(lines.map((line) => line.timestamp)),
    facets: lines.map((line) => line.facet_no),
    metadataChars: metadataText.length,
    brokenMetadata: breaksOf(metadata),
    brokenMessages: breaksOf(messages),
  };
  const text = `${JSON.stringify(head)}\n${metadataText}\n${messages.join('\n')}`;
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  return zstdCompressSync(text, { params, dictionary: DICTIONARY });
}

/** Lines that were compressed together. They are taken apart when they are first asked for. */
export class Chunk {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Characters of messages and metadata. */
  readonly chars: number;
  readonly #head: Head;
  readonly #metadata: string;
  readonly #messages: string;
  #lines: readonly StoredLine[] | undefined;

  constructor(firstSeq: number, data: Uint8Array) {
    const text = zstdDecompressSync(data, { dictionary: DICTIONARY }).toString('utf8');
    const headEnd = text.indexOf('\n');
    this.#head = JSON.parse(text.slice(0, headEnd)) as Head;
    const metadataEnd = headEnd + 1 + this.#head.metadataChars;
    this.#metadata = text.slice(headEnd + 1, metadataEnd);
    this.#messages = text.slice(metadataEnd + 1);
    this.firstSeq = firstSeq;
    this.lastSeq = firstSeq + this.#head.facets.length - 1;
    this.chars = text.length - headEnd;
  }

  /**
   * False when no message holds all of these texts, folded by `toLowerCase`. Folding all at once is folding each: how a character folds
   * depends at most on the letters around it, and a line break is none.
   */
  mayHold(texts: readonly string[]): boolean {
    if (texts.length === 0) return true;
    const folded = this.#messages.toLowerCase();
    return texts.every((text) => folded.includes(text));
  }

  get lines(): readonly StoredLine[] {
    this.#lines ??= this.#takenApart();
    return this.#lines;
  }

  #takenApart(): StoredLine[] {
    const { ids, times, facets, brokenMetadata, brokenMessages } = this.#head;
    const metadata = textsOf(this.#metadata, brokenMetadata);
    const messages = textsOf(this.#messages, brokenMessages);
    let id = 0;
    let ms = 0;
    return facets.map((facetNo, index) => {
      const time = times[index] ?? 0;
      id += ids[index] ?? 0;
      if (typeof time === 'number') ms += time;
      return {
        seq: this.firstSeq + index,
        id,
        timestamp: typeof time === 'number' ? isoTime(ms) : time,
        facet_no: facetNo,
        message: messages[index] ?? '',
        metadata_json: metadata[index] || null,
      };
    });
  }
}

function distances(timestamps: readonly string[]): (number | string)[] {
  let last = 0;
  return timestamps.map((timestamp) => {
    const ms = Date.parse(timestamp);
    if (Number.isNaN(ms) || isoTime(ms) !== timestamp) return timestamp;
    const distance = ms - last;
    last = ms;
    return distance;
  });
}

function breaksOf(texts: readonly string[]): Breaks {
  return texts.flatMap((text, index) => {
    const breaks = text.includes('\n') ? text.split('\n').length - 1 : 0;
    return breaks > 0 ? [[index, breaks] as const] : [];
  });
}

/** What was joined by line breaks, with those that belong to a text put back into it. */
function textsOf(joined: string, broken: Breaks): string[] {
  const pieces = joined.split('\n');
  if (broken.length === 0) return pieces;
  const texts: string[] = [];
  let next = 0;
  for (const [index, breaks] of broken) {
    const plain = index - texts.length;
    for (const end = next + plain; next < end; next++) texts.push(pieces[next] ?? '');
    texts.push(pieces.slice(next, next + breaks + 1).join('\n'));
    next += breaks + 1;
  }
  for (; next < pieces.length; next++) texts.push(pieces[next] ?? '');
  return texts;
}
