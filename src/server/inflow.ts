import { TrailError } from '../core/error.ts';
import { BUFFER_BYTES, TASK_BUFFER_BYTES } from '../core/limits.ts';

/**
 * The bodies that wait for their commit. When the store is slower than its callers, they are told to wait instead of filling our
 * memory: a body is refused once those before it, of its task or of all, have reached the limit.
 */
export class Inflow {
  #bytes = 0;
  readonly #bytesOfTask = new Map<string, number>();

  /** Run `commit` while `bytes` count as waiting. Throws `buffer_full` and does not run it when too much waits. */
  async hold<T>(taskId: string, bytes: number, commit: () => Promise<T>): Promise<T> {
    const ofTask = this.#bytesOfTask.get(taskId) ?? 0;
    if (ofTask >= TASK_BUFFER_BYTES || this.#bytes >= BUFFER_BYTES) {
      throw new TrailError('buffer_full', 'too many lines wait to be written; send the same batch again in a second');
    }
    this.#add(taskId, bytes);
    try {
      return await commit();
    } finally {
      this.#add(taskId, -bytes);
    }
  }

  #add(taskId: string, bytes: number): void {
    this.#bytes += bytes;
    const ofTask = (this.#bytesOfTask.get(taskId) ?? 0) + bytes;
    if (ofTask === 0) this.#bytesOfTask.delete(taskId);
    else this.#bytesOfTask.set(taskId, ofTask);
  }
}
