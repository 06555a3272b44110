import { readyOf } from '../lib/api-tasks.ts';

const ASK_MS = 20_000;

/** Whether the server can store what comes. Asked now and then while something shows it. */
export class ServerHealth {
  /** It cannot. */
  refusing = $state(false);
  readonly #base: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(base: string) {
    this.#base = base;
    void this.#ask();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const ready = await readyOf(this.#base);
    if (this.#closed) return;
    if (ready !== null) this.refusing = !ready;
    this.#timer = setTimeout(() => void this.#ask(), ASK_MS);
  }
}
