import { setImmediate } from 'node:timers/promises';
import type { Store } from '../core/ports.ts';

/** Clears away what is deleted in small steps, with turns between them for those who append. Never throws. */
export class Tidying {
  readonly #store: Pick<Store, 'tidy'>;
  #working: Promise<void> | undefined;
  /** Asked for again since the last step began. */
  #again = false;
  #closed = false;

  constructor(store: Pick<Store, 'tidy'>) {
    this.#store = store;
  }

  /** Resolves when nothing is left, or it cannot be done now: the next one who asks, or the next start, tries again. */
  done(): Promise<void> {
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  close(): void {
    this.#closed = true;
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#closed) {
      // The first turn too: who asks goes on before the work begins.
      await setImmediate();
      this.#again = false;
      if (this.#closed) return;
      try {
        this.#again = (await this.#store.tidy()) || this.#again;
      } catch {
        return;
      }
    }
  }
}
