import type { Live } from '../core/live.ts';
import type { EntryPage } from '../core/page.ts';
import type { StoreReader } from '../core/ports.ts';

export interface InputsOptions {
  readonly taskId: string;
  readonly store: Pick<StoreReader, 'read'>;
  readonly live: Pick<Live, 'follow'>;
  /** Gets each message before the next one is read. */
  readonly listener: (message: string) => Promise<void>;
  /** The last line that is not for it. */
  readonly after: number;
}

const FILTER = { types: ['user_input'] } as const;
const STEP = 100;

/** What people say to a run while it works, in order, read from what is stored: it does not matter which process stored it. */
export class Inputs {
  readonly #options: InputsOptions;
  readonly #abort = new AbortController();
  readonly #following: Promise<void>;
  /** The last line that was given. */
  #after: number;

  constructor(options: InputsOptions) {
    this.#options = options;
    this.#after = options.after;
    // What cannot be read now stands in the trail all the same.
    this.#following = this.#follow().catch(() => {});
  }

  /** Resolves when all that is stored by now is given. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#abort.signal.aborted) return this.#following;
    this.#abort.abort();
    await this.#following;
    await this.#rest().catch(() => {});
  }

  async #follow(): Promise<void> {
    const { taskId, live, after } = this.#options;
    const following = live.follow(taskId, { filter: FILTER, after, signal: this.#abort.signal });
    for await (const event of following) if (event.type === 'entries') await this.#give(event.page);
  }

  async #rest(): Promise<void> {
    const { taskId, store } = this.#options;
    for (let after = this.#after, done = false; !done; ) {
      const page = await store.read(taskId, { filter: FILTER, after, limit: STEP });
      await this.#give(page);
      after = page.scannedTo;
      done = page.done;
    }
  }

  async #give({ entries }: EntryPage): Promise<void> {
    for (const { seq, message } of entries) {
      await this.#options.listener(message);
      this.#after = seq;
    }
  }
}
