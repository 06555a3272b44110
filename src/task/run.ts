import type { EntryInput, Json, JsonObject, Stream } from '../core/entry.ts';
import { asTrailError, ERRORS } from '../core/error.ts';
import { RETRY_FIRST_MS, RETRY_MAX_MS, TASK_JSON_BYTES } from '../core/limits.ts';
import { readable } from '../core/readable.ts';
import type { Status } from '../core/status.ts';
import type { Metrics, Task, TaskChange } from '../core/task.ts';
import { type LineSink, TaskLogger, textOf } from '../core/task-logger.ts';
import type { Logger } from '../core/trail.ts';
import type { Children } from './children.ts';
import { RunContext, type RunControl } from './context.ts';
import { withTask } from './current.ts';
import { legacyParams } from './legacy.ts';
import type { TaskParts } from './parts.ts';
import type { Registered } from './plugin.ts';
import { Questions } from './questions.ts';
import { Sight } from './sight.ts';

export interface RunOptions {
  readonly parts: TaskParts;
  readonly children: Children;
  readonly registered: Registered;
  /** As the caller gave them, secrets and all; the stored ones are masked. */
  readonly params: JsonObject;
  readonly beliefs: () => boolean;
  /** How long an ended task may go on working before its place is given to another. */
  readonly graceMs: number;
}

/** A task that is at work here: these it may leave for an ending. */
export const AT_WORK: readonly Status[] = [
  'discovering',
  'executing',
  'awaiting_input',
  'pending_approval',
  'approved',
  'paused',
];
/** Running figures are written this often at most. */
const METRICS_EVERY_MS = 1_000;
/** What a task says that its server left in the middle. */
export const SERVER_STOPPED = 'server stopped';

/**
 * One run of a plugin. What others do to the task (a person answers, approves, pauses, cancels; by the page, the API, another
 * process) is done in the store, and seen here by reading after each change:
 *
 *   executing ──▶ awaiting_input, pending_approval, paused ──▶ executing
 *       │                                 │
 *       ├─ returns ─▶ completed           └─ cancelled, rejected: the signal aborts, what the plugin still answers is dropped
 *       ├─ throws ──▶ failed
 *       ├─ too long ▶ timed_out
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
  #metrics: Partial<Metrics> = {};
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
    this.finished = this.#live();
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
    return this.#interrupted();
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

  child(pid: number): void {
    void this.#options.children.add(this.taskId, pid);
  }

  append(entries: readonly EntryInput[]): void {
    for (const entry of entries) this.#sink.add(entry);
  }

  partial(stream: Stream, text: string): void {
    const { intake, live } = this.#options.parts;
    live.partial(this.taskId, stream, intake.mask(text));
  }

  metrics(figures: Partial<Metrics>): void {
    this.#metrics = { ...this.#metrics, ...figures };
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      // A figure that cannot be written now is written with the next one, at the latest with the end.
      this.#change({ metrics: this.#metrics }).catch(() => {});
    }, METRICS_EVERY_MS).unref();
  }

  async report(facts: { readonly model?: string; readonly metadata?: JsonObject }): Promise<void> {
    await this.#change(facts);
  }

  async #live(): Promise<void> {
    const { plugin, info } = this.#options.registered;
    this.#system.info(`Task started: ${info.id}${info.version === null ? '' : ` ${info.version}`}`);
    if (plugin.timeoutSeconds !== undefined) {
      this.#timer = setTimeout(() => this.#timeOut(plugin.timeoutSeconds ?? 0), plugin.timeoutSeconds * 1000);
    }
    const work = this.#work();
    await Promise.race([work, this.#grace()]);
    clearTimeout(this.#timer);
    clearTimeout(this.#telling);
    // Without a wait for what goes on behind the grace: its lines are kept as late ones.
    await this.#options.children.remove(this.taskId);
  }

  async #work(): Promise<void> {
    try {
      const result = await this.#execute();
      await this.#room();
      if (!this.signal.aborted) return await this.#complete(result);
    } catch (error) {
      await this.#room();
      if (!this.signal.aborted) return await this.#fail(error);
    }
    if (this.#stopping) await this.#interrupted();
    else await this.#room();
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

  async #complete(value: unknown): Promise<void> {
    const result = this.#resultOf(value);
    this.#system.info('Task completed');
    await this.#record({ status: 'completed', result, metrics: this.#metrics });
  }

  async #fail(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message || error.name : textOf(error);
    this.#system.error(`Task failed: ${message}`, { error });
    const exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : Number.NaN;
    const code = Number.isInteger(exitCode) ? { exitCode } : {};
    await this.#record({ status: 'failed', error: message, metrics: this.#metrics, ...code });
  }

  /** The server stops in the middle of it. */
  async #interrupted(): Promise<void> {
    const again = this.#options.registered.info.restartable;
    this.#system.warning(again ? 'The server stops; the task will start again with it' : 'The server stops');
    await this.#record(again ? { status: 'queued' } : { status: 'failed', error: SERVER_STOPPED });
  }

  #resultOf(value: unknown): Json {
    const result = readable(value);
    const json = JSON.stringify(result);
    if (Buffer.byteLength(json) <= TASK_JSON_BYTES) return result;
    this.#system.warning(`The result has ${json.length} characters, only its start is kept`);
    return { too_large: true, characters: json.length, start: json.slice(0, 10_000) };
  }

  #timeOut(seconds: number): void {
    const error = `timed out after ${seconds} s`;
    this.#system.error(`Task ${error}`);
    void this.#record({ status: 'timed_out', error, metrics: this.#metrics }).then(() => this.#end(error));
  }

  /** Write the ending down, however long the store refuses: without it the task would seem to run for ever. */
  async #record(change: TaskChange): Promise<void> {
    for (let delayMs = RETRY_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
      try {
        await this.#sink.flush();
        await this.#change(change, AT_WORK);
        return;
      } catch (error) {
        const fault = asTrailError(error);
        // Ended by somebody else, deleted, or closed: there is nothing left to say.
        if (!ERRORS[fault.code].retry || fault.code === 'store_closed') return;
        await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
        if (this.#stopping) return;
      }
    }
  }

  async #change(change: TaskChange, from: readonly Status[] = AT_WORK): Promise<Task> {
    const task = await this.#options.parts.intake.changeTask(this.taskId, change, from);
    this.#sight.see(task);
    return task;
  }

  #onSeen({ status, ended }: Task): void {
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

  /** Resolves some time after the end, when the plugin was told and still works. */
  #grace(): Promise<void> {
    const { graceMs } = this.#options;
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#system.warning(`Still at work ${graceMs / 1000} s after its end; it does not heed its signal`);
        resolve();
      };
      const start = (): void => {
        setTimeout(giveUp, graceMs).unref();
      };
      if (this.signal.aborted) start();
      else this.signal.addEventListener('abort', start, { once: true });
    });
  }
}
