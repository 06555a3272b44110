import type { EntryInput } from '../core/entry.ts';
import type { TaskContext } from '../core/plugin.ts';
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
  child(pid: number): void;
  metrics(figures: Partial<Metrics>): void;
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

  progress(percent: number, message?: string): void {
    this.logger.progress(percent, message);
  }

  input(question: string, options: { readonly questionType?: string } = {}): Promise<string> {
    return this.#run.input({ message: question, source: this.#source }, options.questionType ?? 'clarification');
  }

  approval(plan: string): Promise<void> {
    return this.#run.approval({ message: plan, source: this.#source });
  }

  checkpoint(): Promise<void> {
    return this.#run.checkpoint();
  }

  onPause(listener: (paused: boolean) => void): void {
    this.#run.onPause(listener);
  }

  child(pid: number): void {
    this.#run.child(pid);
  }

  metrics(figures: Partial<Metrics>): void {
    this.#run.metrics(figures);
  }

  createSubContext(source: string): TaskContext<Params> {
    return new RunContext(this.#run, this.params, { logger: this.logger.withSource(source), source });
  }
}
