import type { LogEntry } from './entry.ts';
import { entryOfWire, type WireEntry } from './wire.ts';

export interface PageFacts {
  /** A JSON array of entries in wire form. It crosses threads and leaves by HTTP as it is. */
  readonly json: string;
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
  readonly json: string;
  readonly count: number;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  readonly skipped: number;
  readonly scannedTo: number;
  readonly done: boolean;
  #entries: readonly LogEntry[] | undefined;

  constructor(facts: PageFacts) {
    this.json = facts.json;
    this.count = facts.count;
    this.firstSeq = facts.firstSeq;
    this.lastSeq = facts.lastSeq;
    this.skipped = facts.skipped;
    this.scannedTo = facts.scannedTo;
    this.done = facts.done;
  }

  get entries(): readonly LogEntry[] {
    this.#entries ??= (JSON.parse(this.json) as WireEntry[]).map(entryOfWire);
    return this.#entries;
  }
}
