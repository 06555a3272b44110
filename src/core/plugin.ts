import type { EntryInput, JsonObject, Stream } from './entry.ts';
import type { Task, TaskChange, TaskDraft } from './task.ts';
import type { Logger } from './trail.ts';

/** Something that can be run as a task by its id. */
export interface Plugin<Params extends object = JsonObject> {
  /** 1–64 characters of `A-Z a-z 0-9 . _ -`, beginning with a letter or digit. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly description?: string;
  readonly version?: string;
  /** JSON Schema of `params`, an object's; `default`s in it are filled in. Without it every object is taken. */
  readonly parameters?: JsonObject;
  /** Run again from its beginning when the server stopped in the middle (default false: the task fails, "server stopped"). */
  readonly restartable?: boolean;
  /** It calls `context.checkpoint()` or `context.onPause()`, so a running task can be paused (default false). */
  readonly pausable?: boolean;
  /** A person must approve each run before it starts (default false). */
  readonly approval?: boolean;
  /** Seconds after which a run is ended as `timed_out` (default none). */
  readonly timeoutSeconds?: number;
  /** Keep what the plugin prints through `console` as lines with source `console` (default false). */
  readonly captureConsole?: boolean;
  /**
   * Whether `execute` takes the context. Told by its number of parameters unless said here, which a function with default or rest
   * parameters must: JavaScript does not count those. An old plugin that takes only `params` logs through `params._task_log`.
   */
  readonly takesContext?: boolean;
  /** Do the work. What it returns is the task's result, what it throws its error. */
  execute(params: Params, context: TaskContext<Params>): unknown;
}

/** A plugin whatever its parameters are. */
export type AnyPlugin = Plugin<never>;

/** Thrown by a plugin whose command failed: the task fails with the command's exit code. */
export class CommandFailed extends Error {
  static {
    CommandFailed.prototype.name = 'CommandFailed';
  }
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What a run has to work with. */
export interface TaskContext<Params extends object = JsonObject> {
  readonly taskId: string;
  readonly params: Params;
  /** Writes the task's lines; its source is `plugin` unless it is changed by `withSource`. */
  readonly logger: Logger;
  /** Aborts when the task is cancelled, rejected or timed out, and when the server stops. */
  readonly signal: AbortSignal;
  /** True while a person has paused the task. */
  readonly paused: boolean;
  /** A line with `metadata.progress`, clamped to 0–100. */
  progress(percent: number, message?: string): void;
  /** Ask a person, wait as `awaiting_input`, answer what was said. Rejects when the task ends first. */
  input(question: string, options?: { readonly questionType?: string }): Promise<string>;
  /** Ask for leave, wait as `pending_approval`. Rejects when it is refused: the task then is `rejected`. */
  approval(plan: string): Promise<void>;
  /** Resolves at once, or when the task goes on after a pause. Rejects when it ended. */
  checkpoint(): Promise<void>;
  /** Told when the task is paused (true) and goes on (false). */
  onPause(listener: (paused: boolean) => void): void;
  /** Tell of a child process, so that it is ended when the server dies and starts again before the child has ended; resolves when that is kept. Never rejects. */
  child(pid: number): Promise<void>;
  /** Lines as they are, each with its own time, type and source: another program's, for example. Await `logger.drain()` behind many. */
  append(entries: readonly EntryInput[]): void;
  /** Show an unended line to those who follow now; it is never stored. An empty text takes it back. */
  partial(stream: Stream, text: string): void;
  /**
   * Figures of the run so far, merged into the task's metrics while it runs, at most once a second, and when it ends; what earlier
   * steps and attempts of the task have cost is added. Answers those of the task.
   */
  metrics(figures: Partial<Task['metrics']>): Partial<Task['metrics']>;
  /** Facts about the run that it finds out itself, merged into the task. */
  report(facts: RunFacts): Promise<void>;
  /**
   * Take what people say to the task while it runs, unasked: `listener` gets each message, in order, before the next is read.
   * `metadata.takes_input` says so, until the end or `stop`, which resolves when all that was said is given.
   */
  takeInput(listener: (message: string) => Promise<void>): Promise<{ stop(): Promise<void> }>;
  /** The same task under another source. */
  createSubContext(source: string): TaskContext<Params>;
}

/** What a run may say of itself. */
export type RunFacts = Pick<TaskChange, 'assignedAgent' | 'agentType' | 'model' | 'exitCode' | 'metadata'>;

/** What is told of a plugin to those who want to run it. */
export interface PluginInfo {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly version: string | null;
  /** JSON Schema of its parameters. */
  readonly parameters: JsonObject;
  readonly restartable: boolean;
  readonly pausable: boolean;
  readonly approval: boolean;
}

/** Runs plugins as tasks; what a server needs of a `TaskManager`. */
export interface TaskRuns {
  plugins(): readonly PluginInfo[];
  agents(): readonly PluginInfo[];
  /**
   * Queue a run and answer its task. Throws `unknown_plugin`, and `invalid_params` that names every fault.
   * @param draft  the task's other fields: id, title, tags, …
   */
  run(pluginId: string, params?: JsonObject, draft?: RunDraft): Promise<Task>;
  /**
   * Queue a run of an agent and answer its task; its prompt is the draft's input. Throws `unknown_agent`, and `invalid_task` without a
   * prompt.
   */
  runAgent(name: string, draft: RunDraft, how?: AgentRun): Promise<Task>;
  /** The same run again as a new task, with `metadata.rerun_of`. Throws `not_rerunnable` for a task that was not run here. */
  rerun(taskId: string, by?: string): Promise<Task>;
  /** Throws `not_pausable` when what runs cannot pause. */
  pause(taskId: string): Promise<Task>;
  /** Let a paused task go on. */
  resume(taskId: string): Promise<Task>;
}

export type RunDraft = Omit<TaskDraft, 'status' | 'runner' | 'params' | 'result' | 'error' | 'exitCode'>;

/** How an agent is run, besides what it is asked. */
export interface AgentRun {
  /** What it is told, where that is more than the task's input (default: the input's message). */
  readonly prompt?: string;
  /** Plan first, and wait for a person (default false). */
  readonly approval?: boolean;
  /** The agent that makes the plan (default: the same one). */
  readonly planner?: string;
  /** How often it is tried again when it failed (default 0). */
  readonly retries?: number;
  /** The repository that it works in, instead of an empty directory. */
  readonly workspace?: Workspace;
  /** Stores the task: what must be stored with it goes into the same commit (default `Intake.createTask`). */
  readonly create?: (draft: TaskDraft & { readonly taskId: string }) => Promise<Task>;
}

/** A repository, cloned shallow for each task. */
export interface Workspace {
  /** What `git clone` takes. It comes from the settings, never from a delivery. */
  readonly repo: string;
  /** A branch or tag (default: the repository's own). */
  readonly ref?: string;
  /** Programs with their arguments, run in it before the agent, without a shell. */
  readonly prepare?: readonly (readonly [string, ...string[]])[];
}
