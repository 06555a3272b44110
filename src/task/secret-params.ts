import type { JsonObject } from '../core/entry.ts';
import { newTaskId } from '../core/id.ts';
import type { Task } from '../core/task.ts';

/** Tasks whose secret parameters are remembered. */
const KEPT = 10_000;

/**
 * Parameters with secrets, of tasks that wait or work, by the mark in their metadata: what is stored of them is masked. Of too many
 * that never end here, the oldest are forgotten.
 */
export class SecretParams {
  readonly #kept = new Map<string, JsonObject>();

  /** Answers the mark. */
  keep(params: JsonObject): string {
    const mark = newTaskId();
    this.#kept.set(mark, params);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size > KEPT) this.#kept.delete(oldest);
    return mark;
  }

  of({ metadata }: Task): JsonObject | undefined {
    return this.#kept.get(String(metadata?.secret_params));
  }

  forget(mark: unknown): void {
    this.#kept.delete(String(mark));
  }
}
