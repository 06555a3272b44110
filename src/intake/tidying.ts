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
    this.#working ??= this.#work();
    return this.#working;
  }

  close(): void {
    this.#closed = true;
  }

  async #work(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        // The first turn too: who asks goes on before the work begins.
        await setImmediate();
        this.#again = false;
        if (this.#closed) return;
        this.#again = (await this.#store.tidy()) || this.#again;
      }
    } catch {
      // Whoever asks next tries again.
    } finally {
      // In the same turn as the last look at `#again`: who asks a moment later must not be told of this work.
      this.#working = undefined;
    }
  }
}
