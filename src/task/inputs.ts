import type { StoreReader } from '../core/ports.ts';
import type { Sight } from './sight.ts';

/** Lines of a busy task are looked through for inputs this often at most. */
const LOOK_EVERY_MS = 100;
const STEP = 100;

export interface InputsOptions {
  readonly taskId: string;
  readonly store: Pick<StoreReader, 'read'>;
  readonly sight: Sight;
  /** Gets each message before the next one is read. */
  readonly listener: (message: string) => Promise<void>;
  /** The last line that is not for it. */
  readonly after: number;
}

/**
 * What people say to a run while it works, in order, told by what is stored: it does not matter which process stored it.
 *
 *   open ── close ──▶ closed, when all that is stored is given
 */
export class Inputs {
  readonly #options: InputsOptions;
  readonly #following: Promise<void>;
  #after: number;
  #open = true;
  #wake = (): void => {};

  constructor(options: InputsOptions) {
    this.#options = options;
    this.#after = options.after;
    this.#following = this.#follow();
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#open = false;
    this.#wake();
    await this.#following;
  }

  async #follow(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    while (this.#open) {
      const grown = this.#options.sight.until(({ log }) => (log.lastSeq > this.#after ? true : undefined));
      // Refused: the task has ended, and nobody hears what is said.
      const ended = await Promise.race([grown, closed]).then(
        () => false,
        () => true,
      );
      if (ended) return;
      if (!this.#open) break;
      await this.#read();
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref())]);
    }
    await this.#read();
  }

  async #read(): Promise<void> {
    const { taskId, store, listener } = this.#options;
    for (let done = false; !done; ) {
      const query = { filter: { types: ['user_input' as const] }, after: this.#after, limit: STEP };
      // A store that cannot be read now is read again when the task has grown.
      const page = await store.read(taskId, query).catch(() => undefined);
      if (!page) return;
      for (const { message } of page.entries) await listener(message);
      this.#after = Math.max(this.#after, page.scannedTo);
      done = page.done;
    }
  }
}
