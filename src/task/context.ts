import type { EntryInput, Stream } from '../core/entry.ts';
import type { RunFacts, TaskContext } from '../core/plugin.ts';
import type { Metrics } from '../core/task.ts';
import type { Logger } from '../core/trail.ts';

/** What a run offers to its contexts. */
export interface RunControl {
  readonly taskId: string;
  readonly signal: AbortSignal;
  readonly paused: boolean;
  input(question: EntryInput, questionType: string): Promise<string>;
  approval(plan: EntryInput): Promise<void>;
  checkpoint(): Promise<void>;
  onPause(listener: (paused: boolean) => void): void;
  child(pid: number): Promise<void>;
  append(entries: readonly EntryInput[]): void;
  partial(stream: Stream, text: string): void;
  metrics(figures: Partial<Metrics>): Partial<Metrics>;
  report(facts: RunFacts): Promise<void>;
  takeInput(listener: (message: string) => Promise<void>): Promise<{ stop(): Promise<void> }>;
}

/** A plugin's view of its run, under one source. */
export class RunContext<Params extends object> implements TaskContext<Params> {
  readonly params: Params;
  readonly logger: Logger;
  readonly #run: RunControl;
  readonly #source: string;

  constructor(run: RunControl, params: Params, speaking: { readonly logger: Logger; readonly source: string }) {
    this.params = params;
    this.logger = speaking.logger;
    this.#run = run;
    this.#source = speaking.source;
  }

  get taskId(): string {
    return this.#run.taskId;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get paused(): boolean {
    return this.#run.paused;
  }

  // Properties, not methods: a plugin may take them out of the context, as in `execute(params, { logger, input })`.
  readonly progress = (percent: number, message?: string): void => {
    this.logger.progress(percent, message);
  };

  readonly input = (question: string, options: { readonly questionType?: string } = {}): Promise<string> =>
    this.#run.input({ message: question, source: this.#source }, options.questionType ?? 'clarification');

  readonly approval = (plan: string): Promise<void> => this.#run.approval({ message: plan, source: this.#source });

  readonly checkpoint = (): Promise<void> => this.#run.checkpoint();

  readonly onPause = (listener: (paused: boolean) => void): void => this.#run.onPause(listener);

  readonly child = (pid: number): Promise<void> => this.#run.child(pid);

  readonly append = (entries: readonly EntryInput[]): void => this.#run.append(entries);

  readonly partial = (stream: Stream, text: string): void => this.#run.partial(stream, text);

  readonly report = (facts: RunFacts): Promise<void> => this.#run.report(facts);

  readonly metrics = (figures: Partial<Metrics>): Partial<Metrics> => this.#run.metrics(figures);

  readonly takeInput = (listener: (message: string) => Promise<void>): Promise<{ stop(): Promise<void> }> =>
    this.#run.takeInput(listener);

  readonly createSubContext = (source: string): TaskContext<Params> =>
    new RunContext(this.#run, this.params, { logger: this.logger.withSource(source), source });
}
