import type { EntryInput, JsonObject, Stream } from '../core/entry.ts';
import type { RunFacts } from '../core/plugin.ts';
import type { Status } from '../core/status.ts';
import type { Metrics, Task, TaskChange } from '../core/task.ts';
import { type LineSink, TaskLogger, textOf } from '../core/task-logger.ts';
import type { Logger } from '../core/trail.ts';
import type { Children } from './children.ts';
import { RunContext, type RunControl } from './context.ts';
import { withTask } from './current.ts';
import { Ending, SERVER_STOPPED } from './ending.ts';
import { Figures } from './figures.ts';
import { grace } from './grace.ts';
import { Inputs } from './inputs.ts';
import { legacyParams } from './legacy.ts';
import type { TaskParts } from './parts.ts';
import type { Registered } from './plugin.ts';
import { Questions } from './questions.ts';
import { isAgent } from './registry.ts';
import { Sight } from './sight.ts';
import { AT_WORK } from './steps.ts';

export interface RunOptions {
  readonly parts: TaskParts;
  readonly children: Children;
  /** This process, where several run tasks: the task says so while it is ours. */
  readonly worker: string | null;
  readonly registered: Registered;
  /** As the caller gave them, secrets and all; the stored ones are masked. */
  readonly params: JsonObject;
  /** How often it is tried again when it failed, and the first wait before that (default AGENT_RETRY_FIRST_MS). */
  readonly retries: number;
  readonly retryFirstMs?: number | undefined;
  readonly beliefs: () => boolean;
  /** How long an ended task may go on working before its place is given to another. */
  readonly graceMs: number;
}

/** Running figures are written this often at most. */
const METRICS_EVERY_MS = 1_000;
/**
 * One run of a plugin, or one step of an agent. What others do to the task (a person answers, approves, pauses, cancels; by the page, the API, another
 * process) is done in the store, and seen here by reading after each change:
 *
 *   discovering ─ returns a plan ─▶ pending_approval: the run is over, another one executes what is approved
 *   executing ──▶ awaiting_input, pending_approval, paused ──▶ executing
 *       │                                 │
 *       ├─ returns ─▶ completed           └─ cancelled, rejected: the signal aborts, what the plugin still answers is dropped
 *       ├─ throws ──▶ failed      } where it may be tried again: queued, or approved when its plan is, until
 *       ├─ too long ▶ timed_out   } `metadata.retry_at`; this run is over
 *       └─ server stops ▶ queued where the plugin may run again, else failed
 */
export class Run implements RunControl {
  readonly taskId: string;
  /** Resolves when its place is free. Never rejects. */
  readonly finished: Promise<void>;
  readonly #options: RunOptions;
  readonly #sight: Sight;
  readonly #sink: LineSink;
  readonly #system: Logger;
  readonly #abort = new AbortController();
  readonly #questions: Questions;
  readonly #pauseListeners: ((paused: boolean) => void)[] = [];
  readonly #figures: Figures;
  readonly #ending: Ending;
  readonly #firstSeq: number;
  #inputs: Inputs | undefined;
  /** Its time was up, and it may be tried again when it has ended. */
  #overtime: string | undefined;
  #stopping = false;
  #wasPaused = false;
  #timer: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;

  constructor(task: Task, options: RunOptions) {
    const { store, lines } = options.parts;
    this.taskId = task.taskId;
    this.#options = options;
    this.#sink = lines(task.taskId);
    this.#system = new TaskLogger(this.#sink, 'system');
    this.#figures = new Figures(task.metrics);
    this.#firstSeq = task.log.lastSeq;
    this.#sight = new Sight(store, task, {
      onSeen: (seen) => this.#onSeen(seen),
      onGone: (why) => this.#end(why),
    });
    this.#questions = new Questions({
      taskId: this.taskId,
      store,
      sink: this.#sink,
      sight: this.#sight,
      change: (change, from) => this.#change(change, from),
    });
    this.#ending = this.#endingOf(task);
    this.finished = this.#live();
  }

  /** As it was last seen. */
  get task(): Task {
    return this.#sight.task;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get paused(): boolean {
    return this.#sight.task.status === 'paused';
  }

  /** The task changed. */
  look(): void {
    void this.#sight.look();
  }

  /** The server stops: the plugin is told, and the task says so. */
  stop(): void {
    this.#stopping = true;
    this.#end(SERVER_STOPPED);
  }

  /** The server goes without waiting for it any longer. */
  abandon(): Promise<void> {
    return this.#ending.interrupted();
  }

  input(question: EntryInput, questionType: string): Promise<string> {
    return this.#questions.input(question, questionType);
  }

  approval(plan: EntryInput): Promise<void> {
    return this.#questions.approval(plan);
  }

  async checkpoint(): Promise<void> {
    await this.#sight.until(({ status }) => (status === 'paused' ? undefined : true));
  }

  onPause(listener: (paused: boolean) => void): void {
    this.#pauseListeners.push(listener);
    if (this.paused) listener(true);
  }

  child(pid: number): Promise<void> {
    return this.#options.children.add(this.taskId, pid);
  }

  append(entries: readonly EntryInput[]): void {
    for (const entry of entries) this.#sink.add(entry);
  }

  partial(stream: Stream, text: string): void {
    const { intake, live } = this.#options.parts;
    live.partial(this.taskId, stream, intake.maskUnended(text));
  }

  metrics(figures: Partial<Metrics>): Partial<Metrics> {
    this.#figures.tell(figures);
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      if (this.#ending.written) return;
      // A figure that cannot be written now is written with the next one, at the latest with the end.
      this.#change({ metrics: this.#figures.all }).catch(() => {});
    }, METRICS_EVERY_MS).unref();
    return this.#figures.all;
  }

  async report(facts: RunFacts): Promise<void> {
    await this.#change(facts);
  }

  async takeInput(listener: (message: string) => Promise<void>): Promise<{ stop(): Promise<void> }> {
    const { store, live } = this.#options.parts;
    const inputs = new Inputs({ taskId: this.taskId, store, live, listener, after: this.#firstSeq });
    this.#inputs = inputs;
    // Where it cannot be said nobody is told, and nothing is sent.
    await this.#change({ metadata: { takes_input: true } }).catch(() => {});
    const stop = async (): Promise<void> => {
      await this.#change({ metadata: { takes_input: null } }).catch(() => {});
      await inputs.close();
    };
    return { stop };
  }

  #endingOf({ status }: Task): Ending {
    const { registered, retries, retryFirstMs } = this.#options;
    return new Ending({
      ...{ sink: this.#sink, system: this.#system, figures: this.#figures, retries, retryFirstMs },
      task: () => this.task,
      change: (change, from) => this.#change(change, from),
      isStopping: () => this.#stopping,
      planning: status === 'discovering',
      restartable: registered.info.restartable,
    });
  }

  async #live(): Promise<void> {
    const { plugin, info } = this.#options.registered;
    // An agent says so itself.
    if (!isAgent(this.task)) {
      this.#system.info(`Task started: ${info.id}${info.version === null ? '' : ` ${info.version}`}`);
    }
    if (plugin.timeoutSeconds !== undefined) {
      this.#timer = setTimeout(() => this.#timeOut(plugin.timeoutSeconds ?? 0), plugin.timeoutSeconds * 1000);
    }
    const work = this.#work();
    const { graceMs } = this.#options;
    const tooLong = `Still at work ${graceMs / 1000} s after its end; it does not heed its signal`;
    await Promise.race([work, grace(this.signal, graceMs, () => this.#system.warning(tooLong))]);
    clearTimeout(this.#timer);
    clearTimeout(this.#telling);
    void this.#inputs?.close();
    // Without a wait for what goes on behind the grace: its lines are kept as late ones.
    await this.#options.children.remove(this.taskId);
  }

  async #work(): Promise<void> {
    try {
      const result = await this.#execute();
      await this.#room();
      if (!this.signal.aborted) return await this.#ending.returned(result);
    } catch (error) {
      await this.#room();
      if (!this.signal.aborted) return await this.#ending.threw(error);
    }
    if (this.task.ended) await this.#ending.late();
    else if (this.#overtime !== undefined) await this.#ending.threw(new Error(this.#overtime));
    else if (this.#stopping) await this.#ending.interrupted();
  }

  /** A plugin that filled its buffer must not push out the line that says how it ended. */
  async #room(): Promise<void> {
    await this.#sink.flush().catch(() => {});
  }

  #execute(): unknown {
    const { registered, params, beliefs } = this.#options;
    const { plugin, takesContext } = registered;
    const logger = this.#system.withSource('plugin');
    const context = new RunContext(this, params, { logger, source: 'plugin' });
    const given = takesContext ? params : legacyParams(params, this.taskId, logger);
    return withTask(
      { logger, beliefs },
      // Through an async function, so that what it throws at once is a rejection like any other.
      async () => plugin.execute(given, context),
      plugin.captureConsole ? { captureConsole: true } : {},
    );
  }

  #timeOut(seconds: number): void {
    const error = `timed out after ${seconds} s`;
    if (this.#ending.retryAfter(error)) {
      this.#overtime = error;
      this.#end(error);
    } else {
      void this.#ending.timedOut(error).then(() => this.#end(error));
    }
  }

  async #change(change: TaskChange, from: readonly Status[] = AT_WORK): Promise<Task> {
    const task = await this.#options.parts.intake.changeTask(this.taskId, change, from);
    this.#sight.see(task);
    return task;
  }

  #onSeen({ status, ended, metadata }: Task): void {
    const { worker } = this.#options;
    if (worker !== null && (metadata?.worker ?? null) !== worker) {
      // We were thought to be gone: what there is to say of the task is said by another server.
      this.#ending.leave();
      this.#end('another server took the task over');
    }
    if (ended && !this.signal.aborted) this.#end(`the task is ${status}`);
    const paused = status === 'paused';
    if (paused === this.#wasPaused) return;
    this.#wasPaused = paused;
    for (const listener of this.#pauseListeners) this.#tell(listener, paused);
  }

  #tell(listener: (paused: boolean) => void, paused: boolean): void {
    try {
      listener(paused);
    } catch (error) {
      this.#system.error(`A listener for pauses failed: ${textOf(error)}`, { error });
    }
  }

  #end(why: string): void {
    const reason = new DOMException(why, 'AbortError');
    this.#sight.end(reason);
    this.#abort.abort(reason);
  }
}
