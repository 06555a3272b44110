import { setImmediate as nextTurn } from 'node:timers/promises';

/** So long work may go on before other work gets its turn. */
const TURN_MS = 20;

/** Shares the main thread between work that takes long and everything else. All that shares one has its time together. */
export class Turns {
  #beganMs = Number.NEGATIVE_INFINITY;
  #next: Promise<void> | undefined;

  get isOver(): boolean {
    return performance.now() - this.#beganMs > TURN_MS;
  }

  /** Resolves in the next turn. Whoever resumes first may use that up, so ask again: `while (turns.isOver) await turns.next()`. */
  next(): Promise<void> {
    this.#next ??= nextTurn().then(() => {
      this.#beganMs = performance.now();
      this.#next = undefined;
    });
    return this.#next;
  }
}
