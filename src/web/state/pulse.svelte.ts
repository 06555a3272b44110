import { createContext } from 'svelte';
import { healthOf, type WireHealth } from '../lib/settings-api.ts';

const ASK_MS = 10_000;
/** While it does not answer, and while one of its answers takes. */
const ASK_AGAIN_MS = 2_000;
const ANSWER_MS = 8_000;

/** Whether the server answers, and how it is, while the settings are open. */
export class Pulse {
  health = $state.raw<WireHealth | null>(null);
  /** It did not answer the last time. */
  away = $state(false);
  readonly #base: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(base: string) {
    this.#base = base;
    void this.#ask();
  }

  get refusing(): boolean {
    return this.health?.status === 'unhealthy';
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const health = await healthOf(this.#base, AbortSignal.timeout(ANSWER_MS));
    if (this.#closed) return;
    if (health !== null) this.health = health;
    this.away = health === null;
    this.#timer = setTimeout(() => void this.#ask(), this.away ? ASK_AGAIN_MS : ASK_MS);
  }
}

export const [usePulse, providePulse] = createContext<Pulse>();
