import type { JsonObject } from '../core/entry.ts';
import type { Task } from '../core/task.ts';

/** Where tasks that wait can be run, in this process. */
export interface Places {
  /** What the runners of its tasks begin with: `plugin:` or `agent:`. */
  readonly prefix: string;
  /** How many more may run now. */
  readonly free: number;
  readonly taken: number;
  isRunning(taskId: string): boolean;
  /** Begin to run a task, unless another process, or a person, was faster. */
  claim(task: Task): Promise<void>;
}

/** Brings tasks that wait to where there are places for them. The tasks table says what waits; this only brings. */
export interface Distribution {
  /** From now on bring tasks to these places. */
  start(places: Places): void;
  /** Something may wait, or a place is free. */
  look(): void;
  /** Resolves when none is under way any more. Safe to call twice. */
  close(): Promise<void>;
}

/** The same among several processes. */
export interface SharedDistribution extends Distribution {
  /** These wait now. One that waits already is offered once; one that cannot be offered now is offered by a later sweep. */
  offer(tasks: readonly Task[]): Promise<void>;
}

/** The processes that run tasks of one data directory. */
export interface Workers {
  /** This one; what tasks that it runs say in `metadata.worker`. */
  readonly id: string;
  /** From now on this process is one of them. */
  start(): void;
  /** Those that were known and are gone. Throws when that cannot be told now. */
  gone(): Promise<readonly string[]>;
  /** False when it is sure that it is gone. Throws when that cannot be told now. */
  isAlive(worker: string): Promise<boolean>;
  /** What it left behind is settled. */
  forget(worker: string): Promise<void>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** Keeps parameters with secrets, which are not stored, for whoever runs the task. */
export interface Vault {
  keep(mark: string, params: JsonObject): void;
  find(mark: string): Promise<JsonObject | undefined>;
  forget(mark: string): void;
}

/** What processes have in common that run the tasks of one data directory. */
export interface SharedWork {
  readonly workers: Workers;
  readonly vault: Vault;
  /** Whether this process runs any; else it only makes them. */
  readonly runs: boolean;
  /** Another one for each kind of runner. */
  distribution(kind: string): SharedDistribution;
}
