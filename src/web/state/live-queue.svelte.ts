import type { WireEntry } from '../../core/wire.ts';
import { LineRate } from '../lib/rate.ts';

/** Live lines are painted in batches, at most this often. */
const PAINT_MS = 50;
/** Above so many lines a second they are painted less often, and the panel says so. */
const FAST_LINES = 500;
const FAST_PAINT_MS = 100;
const CALM_MS = 1_500;

/** Live lines on their way to the screen. None is ever dropped; when they come fast they are painted in larger batches. */
export class LiveQueue {
  /** Lines that came in within a second, while they come fast; else null. */
  perSecond = $state<number | null>(null);
  readonly #onpaint: () => void;
  readonly #rate = new LineRate();
  #lines: WireEntry[] = [];
  #paint: ReturnType<typeof setTimeout> | undefined;
  #calm: ReturnType<typeof setTimeout> | undefined;

  constructor(onpaint: () => void) {
    this.#onpaint = onpaint;
  }

  /** @param counts false: they come at once because they were missed, and say nothing of how fast the task writes */
  add(lines: readonly WireEntry[], counts: boolean): void {
    for (const line of lines) this.#lines.push(line);
    const perSecond = counts ? this.#rate.add(lines.length, performance.now()) : 0;
    const fast = perSecond > FAST_LINES;
    this.#paint ??= setTimeout(
      () => {
        this.perSecond = fast ? perSecond : null;
        this.#onpaint();
      },
      fast ? FAST_PAINT_MS : PAINT_MS,
    );
    clearTimeout(this.#calm);
    if (fast) {
      this.#calm = setTimeout(() => {
        this.perSecond = null;
      }, CALM_MS);
    }
  }

  /** Take what is here, in order. */
  take(): readonly WireEntry[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** The next line that comes is painted in its own time. */
  painted(): void {
    clearTimeout(this.#paint);
    this.#paint = undefined;
  }

  close(): void {
    clearTimeout(this.#paint);
    clearTimeout(this.#calm);
  }
}
