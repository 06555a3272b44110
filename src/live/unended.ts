import { PARTIAL_EVERY_MS } from '../core/limits.ts';
import type { UnendedLine } from '../core/live.ts';
import { cutText } from '../core/text.ts';

/** Most lines that wait or are known to be shown elsewhere, and how much of one is told. */
const LINES = 500;
export const UNENDED_CHARS = 4_000;

/**
 * Unended lines on their way to other processes: of each stream the newest text, at most every 250 ms. That one has ended goes at
 * once, and only where it was shown.
 */
export class UnendedLines {
  readonly #onReady: () => void;
  readonly #waiting = new Map<string, UnendedLine>();
  readonly #ready = new Map<string, UnendedLine>();
  /** The newest behind. */
  readonly #shown = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  get size(): number {
    return this.#ready.size;
  }

  tell(line: UnendedLine): void {
    const key = `${line.stream} ${line.taskId}`;
    if (line.text === '') {
      this.#waiting.delete(key);
      if (!this.#shown.delete(key)) return;
      this.#ready.set(key, line);
      this.#onReady();
    } else if (this.#waiting.has(key) || this.#waiting.size < LINES) {
      this.#waiting.set(key, { ...line, text: cutText(line.text, UNENDED_CHARS) });
      this.#timer ??= setTimeout(this.#onTime, PARTIAL_EVERY_MS).unref();
    }
  }

  take(): readonly UnendedLine[] {
    const lines = [...this.#ready.values()].slice(0, LINES);
    this.#ready.clear();
    return lines;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  readonly #onTime = (): void => {
    this.#timer = undefined;
    for (const [key, line] of this.#waiting) {
      if (!this.#ready.has(key) && this.#ready.size >= LINES) break;
      this.#ready.set(key, line);
      this.#shown.delete(key);
      this.#shown.add(key);
      if (this.#shown.size > LINES) this.#shown.delete(this.#shown.values().next().value ?? '');
    }
    this.#waiting.clear();
    if (this.#ready.size > 0) this.#onReady();
  };
}
