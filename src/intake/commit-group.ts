import { asTrailError, type TrailError } from '../core/error.ts';
import type { Batch, Store } from '../core/ports.ts';
import type { Receipt } from '../core/query.ts';

/** Lines in one commit: enough to share an fsync well, few enough that the next caller waits only milliseconds. */
const GROUP_LINES = 20_000;

interface Waiting {
  readonly batch: Batch;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: TrailError) => void;
}

/**
 * Group commit. Two states:
 *
 *   idle        a batch comes: what came in the same turn of the event loop is committed at once
 *   committing  batches gather, and share the next commit, which starts when this one ends
 */
export class CommitGroup {
  readonly #store: Pick<Store, 'append'>;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<Store, 'append'>) {
    this.#store = store;
  }

  /** Resolves when the batch is committed, rejects with what was wrong with it. */
  add(batch: Batch): Promise<Receipt> {
    const receipt = new Promise<Receipt>((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
    });
    this.#last = receipt.catch(() => {});
    this.#running ??= this.#run();
    return receipt;
  }

  /** Resolves when everything that was added before this call has been committed or refused. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #run(): Promise<void> {
    // One turn of the event loop: messages that have arrived already join this commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#commit(this.#take());
    this.#running = undefined;
  }

  #take(): readonly Waiting[] {
    let lines = 0;
    let taken = 0;
    for (const { batch } of this.#waiting) {
      if (taken > 0 && lines + batch.drafts.length > GROUP_LINES) break;
      lines += batch.drafts.length;
      taken += 1;
    }
    return this.#waiting.splice(0, taken);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const fates = await this.#store.append(group.map(({ batch }) => batch));
      for (const [index, { resolve, reject }] of group.entries()) {
        const fate = fates[index];
        if (fate?.error) reject(fate.error);
        else if (fate) resolve(fate.receipt);
      }
    } catch (error) {
      for (const { reject } of group) reject(asTrailError(error));
    }
    // Let new messages in before the next commit, so that they share it.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
