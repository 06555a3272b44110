import type { DirectoryFault, DirectoryThreadData } from './directory-thread.ts';
import { Thread } from './thread.ts';

/** Threads are loaded by file: TypeScript in a clone, JavaScript in the package. */
const THREAD = new URL(`./directory-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** A server that has just begun to listen answers first: loading a thread takes the processor from it. */
const START_AFTER_MS = 100;

export interface DirectoryOptions extends DirectoryThreadData {
  /** Told when directories cannot be written, at most once a minute. */
  readonly warn: (message: string) => void;
}

/** The task directories, written by a thread of their own for the owner of a data directory. */
export interface TaskDirectories {
  /** Times that something could not be written; a second old at most. */
  readonly failures: number;
  /** Resolves when the files show everything that was committed before. */
  settled(): Promise<void>;
  /** Write what is committed, and stop. Safe to call twice. */
  close(): Promise<void>;
}

/** Keep the task directories up to date from now on. What is wrong with one is told and counted, and never thrown. */
export function writeDirectories({ dataDir, dir, warn }: DirectoryOptions): TaskDirectories {
  let failures = 0;
  let thread: Thread | undefined;
  const started = (): Thread => {
    thread ??= new Thread(THREAD, {
      youngMb: 12,
      workerData: { dataDir, dir } satisfies DirectoryThreadData,
      onTold: (told) => {
        const fault = told as DirectoryFault;
        failures = fault.failures;
        if (fault.warning !== undefined) warn(fault.warning);
      },
    });
    return thread;
  };
  const starting = setTimeout(started, START_AFTER_MS).unref();
  return {
    get failures() {
      return failures;
    },
    settled: () => started().call('settled', []),
    close: () => {
      clearTimeout(starting);
      return started().close();
    },
  };
}
