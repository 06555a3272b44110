import { TrailError } from '../core/error.ts';
import { SEARCH_WAIT_MS, SEARCHES } from '../core/limits.ts';

/** So many may wait at most; whoever comes then is sent away at once. */
const WAITING = 100;

/** A few long reads at a time: what comes beyond them waits for its turn, a short while. */
export class Turns {
  readonly #waiting = new Set<() => void>();
  #underWay = 0;

  /**
   * Do the work when it is its turn. Throws `too_many_searches` when that is not soon, and the signal's reason when it aborts first.
   * @param patient wait as long as it takes: for what has begun already
   */
  async take<T>(work: () => Promise<T>, signal: AbortSignal, patient = false): Promise<T> {
    if (this.#underWay >= SEARCHES) await this.#turn(signal, patient);
    else this.#underWay += 1;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#next();
    }
  }

  /** Resolves when a place is ours: the one who leaves hands it on. */
  async #turn(signal: AbortSignal, patient: boolean): Promise<void> {
    if (this.#waiting.size >= WAITING && !patient) throw busy();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.throwIfAborted();
    // Who was handed a place has it, whatever happens at the same moment.
    const leave = (reason: unknown): void => {
      if (this.#waiting.delete(resolve)) reject(reason);
    };
    const cancel = (): void => leave(signal.reason);
    const timer = patient ? undefined : setTimeout(() => leave(busy()), SEARCH_WAIT_MS);
    this.#waiting.add(resolve);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  }

  #next(): void {
    const [next] = this.#waiting;
    if (!next) this.#underWay -= 1;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}

function busy(): TrailError {
  return new TrailError('too_many_searches', `${SEARCHES} searches are under way already; try again in a moment`);
}
