import { asTrailError } from '../core/error.ts';
import type { StoreReader } from '../core/ports.ts';
import type { Task } from '../core/task.ts';

/**
 * The newest state of one task, as far as this process has read it. Whoever waits for a state is asked again after each change, so
 * it does not matter which process made the change.
 */
export class Sight {
  readonly #store: StoreReader;
  readonly #onSeen: (task: Task) => void;
  readonly #onGone: (why: string) => void;
  readonly #waiting = new Set<() => void>();
  #task: Task;
  #reading = false;
  #again = false;
  #over: Error | undefined;

  constructor(store: StoreReader, task: Task, told: { onSeen: (task: Task) => void; onGone: (why: string) => void }) {
    this.#store = store;
    this.#task = task;
    this.#onSeen = told.onSeen;
    this.#onGone = told.onGone;
  }

  get task(): Task {
    return this.#task;
  }

  /** The task changed: read it. Calls while a read is under way share one more. */
  async look(): Promise<void> {
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#again && !this.#over) {
        this.#again = false;
        const before = this.#task;
        const task = await this.#store.task(this.#task.taskId);
        // Who changed the task meanwhile has told a state that may be newer than the one read.
        if (this.#task === before) this.see(task);
        else this.#again = true;
      }
    } catch (error) {
      const { code, message } = asTrailError(error);
      if (code === 'task_deleted' || code === 'task_not_found') this.#onGone(message);
      // A store that cannot be read now is read again at the next change.
    } finally {
      this.#reading = false;
    }
  }

  see(task: Task): void {
    this.#task = task;
    this.#onSeen(task);
    this.#poke();
  }

  /** Everybody who waits, now or later, is refused with this reason. */
  end(reason: Error): void {
    this.#over ??= reason;
    this.#poke();
  }

  /** Resolves with what `check` answers first that is not undefined; it is asked now and after each change. */
  async until<T>(check: (task: Task) => T | undefined | Promise<T | undefined>): Promise<T> {
    for (;;) {
      if (this.#over) throw this.#over;
      const asked = this.#task;
      const answer = await check(asked);
      if (answer !== undefined) return answer;
      // What changed while `check` was at work is looked at at once.
      if (asked === this.#task && !this.#over) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #poke(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
