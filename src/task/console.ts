import { AsyncLocalStorage } from 'node:async_hooks';
import { format } from 'node:util';
import type { Logger } from '../core/trail.ts';

const METHODS = { debug: 'debug', log: 'info', info: 'info', warn: 'warning', error: 'error', trace: 'error' } as const;
type Method = keyof typeof METHODS;
const NAMES = Object.keys(METHODS) as Method[];

const storage = new AsyncLocalStorage<Logger>();
let originals: Pick<Console, Method> | undefined;
let users = 0;

/**
 * Run `work`; what it, and all that it calls and awaits, prints through `console` is printed as ever and becomes lines of `logger`
 * with source `console` as well. The global console is changed while somebody needs it, and not longer.
 */
export function withConsole<T>(logger: Logger, work: () => T): T {
  users += 1;
  originals ??= install();
  let result: T;
  try {
    result = storage.run(logger.withSource('console'), work);
  } catch (error) {
    release();
    throw error;
  }
  if (result instanceof Promise) void result.then(release, release);
  else release();
  return result;
}

function install(): Pick<Console, Method> {
  const kept = Object.fromEntries(NAMES.map((name) => [name, console[name]])) as Pick<Console, Method>;
  for (const name of NAMES) {
    console[name] = (...args: unknown[]): void => {
      kept[name].apply(console, args);
      storage.getStore()?.[METHODS[name]](formatted(args));
    };
  }
  return kept;
}

function release(): void {
  users -= 1;
  if (users > 0 || !originals) return;
  Object.assign(console, originals);
  originals = undefined;
}

function formatted(args: readonly unknown[]): string {
  try {
    return format(...args);
  } catch (error) {
    return `[Unreadable: ${error instanceof Error ? error.message : typeof error}]`;
  }
}
