import { currentTask } from '../task/current.ts';
import type { ServerLog } from './server-log.ts';

/** Longest time that a stop may take; what hangs longer is left behind. */
const STOP_MS = 8_000;

/** Resolves at the first signal to stop. A second one, or a stop that takes too long, ends the process at once. */
export function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      setTimeout(() => process.exit(1), STOP_MS).unref();
      resolve();
    });
  }
  return promise;
}

/**
 * A plugin runs in this process. A promise that it forgot costs a line on its task and in the log; an exception out of nowhere, after
 * which nothing can be trusted, an orderly stop.
 */
export function catchStrays({ logger }: ServerLog): () => void {
  const onRejection = (error: unknown): void => {
    currentTask()?.logger.error('A promise was rejected and nobody handled it', { error });
    logger.error({ err: error }, 'a promise was rejected and nobody handled it');
  };
  const onException = (error: unknown): void => {
    currentTask()?.logger.error('An exception was thrown and nobody caught it', { error });
    logger.error({ err: error }, 'an exception was thrown and nobody caught it; the server stops');
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  };
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  return () => {
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
  };
}
