import type { LogEntry } from './entry.ts';
import { entryOfWire, type WireEntry } from './wire.ts';

export interface PageFacts {
  /** A JSON array of entries in wire form, as text or as its bytes: these cross threads uncopied and leave by sockets as they are. */
  readonly json: string | Uint8Array<ArrayBuffer>;
  readonly count: number;
  /** Lowest and highest seq in the page; null when it is empty. */
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  /** Matching lines that were skipped for `offset`. */
  readonly skipped: number;
  /** Every line from the start of the window to this seq, it included, has been looked at. */
  readonly scannedTo: number;
  /** The window holds nothing more, for now. */
  readonly done: boolean;
}

/** One page of a task's lines, in the order that was asked for. Kept as JSON text; parsed only for those who want objects. */
export class EntryPage implements PageFacts {
  readonly count: number;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  readonly skipped: number;
  readonly scannedTo: number;
  readonly done: boolean;
  readonly #json: string | Uint8Array<ArrayBuffer>;
  #entries: readonly LogEntry[] | undefined;

  constructor(facts: PageFacts) {
    this.#json = facts.json;
    this.count = facts.count;
    this.firstSeq = facts.firstSeq;
    this.lastSeq = facts.lastSeq;
    this.skipped = facts.skipped;
    this.scannedTo = facts.scannedTo;
    this.done = facts.done;
  }

  get json(): string {
    return typeof this.#json === 'string' ? this.#json : new TextDecoder().decode(this.#json);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return typeof this.#json === 'string' ? new TextEncoder().encode(this.#json) : this.#json;
  }

  get entries(): readonly LogEntry[] {
    this.#entries ??= (JSON.parse(this.json) as WireEntry[]).map(entryOfWire);
    return this.#entries;
  }
}
