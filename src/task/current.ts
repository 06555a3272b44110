import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from '../core/trail.ts';
import { withConsole } from './console.ts';

/** What code that runs for a task can reach without being handed it. */
export interface Current {
  readonly logger: Logger;
  /** Whether `beliefScope` writes (default true). */
  readonly beliefs?: () => boolean;
}

const storage = new AsyncLocalStorage<Current>();

/** The task that this code runs for; undefined outside of one. */
export function currentTask(): Current | undefined {
  return storage.getStore();
}

/**
 * Run `work` for a task: `logger`, `beliefScope` and, where it is switched on, `console` write its lines, in everything that is
 * called and awaited from there.
 * @param options.captureConsole  keep what is printed through `console` as lines with source `console` (default false)
 */
export function withTask<T>(task: Current, work: () => T, options: { readonly captureConsole?: boolean } = {}): T {
  const run = (): T => storage.run(task, work);
  return options.captureConsole ? withConsole(task.logger, run) : run();
}

/** Writes lines of the task that the calling code runs for; outside of a task it writes nothing. Never throws. */
export const logger: Logger = {
  debug: (...line) => currentTask()?.logger.debug(...line),
  info: (...line) => currentTask()?.logger.info(...line),
  warning: (...line) => currentTask()?.logger.warning(...line),
  error: (...line) => currentTask()?.logger.error(...line),
  progress: (...line) => currentTask()?.logger.progress(...line),
  withSource: (name) => currentTask()?.logger.withSource(name) ?? logger,
  flush: async () => currentTask()?.logger.flush(),
  drain: async () => currentTask()?.logger.drain(),
};
