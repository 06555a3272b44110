import { createSubscriber } from 'svelte/reactivity';

const TICK_MS = 1_000;

/** The time now, for "elapsed" and "in 3 s". It ticks only while something on the page shows it. */
export class NowClock {
  #nowMs = Date.now();
  readonly #watch = createSubscriber((update) => {
    const timer = setInterval(() => {
      this.#nowMs = Date.now();
      update();
    }, TICK_MS);
    return () => clearInterval(timer);
  });

  get nowMs(): number {
    this.#watch();
    return Math.max(this.#nowMs, Date.now() - TICK_MS);
  }
}
