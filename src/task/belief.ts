import { performance } from 'node:perf_hooks';
import { textOf } from '../core/task-logger.ts';
import type { LineMetadata, Logger } from '../core/trail.ts';
import { currentTask } from './current.ts';

/** What work inside a scope can tell. */
export interface BeliefScope {
  /** A line about a step of the work: `[name][Action] message`. */
  action(message: string, metadata?: LineMetadata): void;
}

/**
 * Do `work` and write at DEBUG what was believed about it: `[name][Entry]`, each `[name][Action]`, `[name][Coherence:OK]` or, when it
 * throws, `[name][Coherence:Failed]`, and `[name][Exit]` with its duration. What it returns is returned, what it throws is thrown
 * again, for sync and async work alike. The lines go to the task that the calling code runs for, unless a logger is given; outside of
 * a task, and with `enable_belief_state` false, only the work is done.
 */
export function beliefScope<T>(
  name: string,
  work: (scope: BeliefScope) => T,
  options: { readonly logger?: Logger } = {},
): T {
  const current = currentTask();
  const logger = options.logger ?? current?.logger;
  if (!logger || current?.beliefs?.() === false) return work({ action: () => {} });
  const scope = new Scope(textOf(name), logger);
  let result: T;
  try {
    result = work(scope);
  } catch (error) {
    scope.failed(error);
    throw error;
  }
  if (result instanceof Promise) {
    // The caller gets the promise of the work itself, so that its rejection is handled by the caller alone.
    void result.then(
      () => scope.done(),
      (error) => scope.failed(error),
    );
  } else {
    scope.done();
  }
  return result;
}

class Scope implements BeliefScope {
  readonly #name: string;
  readonly #logger: Logger;
  readonly #startMs = performance.now();

  constructor(name: string, logger: Logger) {
    this.#name = name;
    this.#logger = logger;
    this.#write('Entry');
  }

  action(message: string, metadata: LineMetadata = {}): void {
    this.#write('Action', ` ${textOf(message)}`, metadata);
  }

  done(): void {
    this.#write('Coherence:OK');
    this.#exit();
  }

  failed(error: unknown): void {
    this.#write('Coherence:Failed', ` ${error instanceof Error ? error.message : textOf(error)}`, { error });
    this.#exit();
  }

  #exit(): void {
    this.#write('Exit', '', { duration_ms: Math.round((performance.now() - this.#startMs) * 1000) / 1000 });
  }

  #write(state: string, text = '', metadata: LineMetadata = {}): void {
    const belief = { belief_scope: this.#name, belief_state: state };
    this.#logger.debug(`[${this.#name}][${state}]${text}`, { ...metadata, ...belief });
  }
}
