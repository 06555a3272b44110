import { BLOCK_LINES, CHUNK_CACHE_CHARS } from '../../core/limits.ts';
import type { Order } from '../../core/query.ts';
import { Chunk } from './chunk.ts';
import type { Database } from './database.ts';

/** What a line costs in memory beside its text. */
const LINE_CHARS = 100;

/** The compressed lines of all tasks, for reading. The chunks used last are kept; a page mostly lies where the one before lay. */
export class Chunks {
  readonly #db: Database;
  /** By number, the one used longest ago first. */
  readonly #kept = new Map<number, Chunk>();
  #keptChars = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The chunks that hold lines of a task from one seq to another, in order. */
  *between(taskNo: number, from: number, to: number, order: Order): Generator<Chunk> {
    // A chunk lies within one block, so one that ends further behind `to` than a block is long begins behind it too.
    const rows = this.#db.all<{ chunk_no: number; first_seq: number }>(
      `SELECT chunk_no, first_seq FROM chunks
       WHERE task_no = ? AND last_seq BETWEEN ? AND ? AND first_seq <= ? ORDER BY last_seq ${order}`,
      ...[taskNo, from, to + BLOCK_LINES, to],
    );
    for (const row of rows) yield this.#chunk(row.chunk_no, row.first_seq);
  }

  #chunk(number: number, firstSeq: number): Chunk {
    const known = this.#kept.get(number);
    if (known) {
      this.#kept.delete(number);
      this.#kept.set(number, known);
      return known;
    }
    const row = this.#db.get<{ data: Uint8Array }>('SELECT data FROM chunks WHERE chunk_no = ?', number);
    if (!row) throw new Error(`chunk ${number} is missing`);
    const chunk = new Chunk(firstSeq, row.data);
    this.#kept.set(number, chunk);
    this.#keptChars += weight(chunk);
    for (const [oldest, held] of this.#kept) {
      if (this.#keptChars <= CHUNK_CACHE_CHARS || held === chunk) break;
      this.#kept.delete(oldest);
      this.#keptChars -= weight(held);
    }
    return chunk;
  }
}

function weight({ chars, firstSeq, lastSeq }: Chunk): number {
  return chars + (lastSeq - firstSeq + 1) * LINE_CHARS;
}
