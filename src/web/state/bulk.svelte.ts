import type { WireTask } from '../../core/wire.ts';
import { asProblem, type Problem } from '../lib/api.ts';

const AT_ONCE = 4;

export interface BulkFailure {
  readonly task: WireTask;
  readonly problem: Problem;
}

/** One thing done to many tasks: how far it is, and what was refused. */
export class BulkWork {
  /** What is under way, or was last. */
  name = $state<string | null>(null);
  busy = $state(false);
  done = $state(0);
  total = $state(0);
  failures = $state.raw<readonly BulkFailure[]>([]);
  #stopped = false;

  /** Do it to each, a few at a time; one that fails holds up no other. Answers the tasks that it was done to. */
  async run(
    name: string,
    tasks: readonly WireTask[],
    work: (task: WireTask) => Promise<unknown>,
  ): Promise<readonly WireTask[]> {
    if (this.busy) return [];
    [this.name, this.busy, this.done, this.total, this.failures] = [name, true, 0, tasks.length, []];
    this.#stopped = false;
    const rest = [...tasks];
    const changed: WireTask[] = [];
    const worker = async (): Promise<void> => {
      for (let task = rest.shift(); task && !this.#stopped; task = rest.shift()) {
        try {
          await work(task);
          changed.push(task);
        } catch (error) {
          this.failures = [...this.failures, { task, problem: asProblem(error) }];
        }
        this.done += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    this.busy = false;
    return changed;
  }

  /** What is under way goes to its end, the rest is left. */
  readonly stop = (): void => {
    this.#stopped = true;
  };

  clear(): void {
    this.name = null;
    this.failures = [];
  }
}
