import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';

/** A lock that several processes of a machine may want. */
export interface FileLock {
  /** Safe to call twice. */
  release(): void;
}

const AGAIN_MS = 50;

/**
 * Hold a file until `release` or the end of the process, however it ends: it is an SQLite file under an exclusive transaction, which
 * the operating system lets go with the process. Throws when another holds it.
 */
export function lockFile(path: string): FileLock {
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw error;
  }
  return {
    release() {
      if (lock.isOpen) lock.close();
    },
  };
}

/** The same when those who came before are done with it. */
export async function waitForLock(path: string, signal: AbortSignal): Promise<FileLock> {
  for (;;) {
    try {
      return lockFile(path);
    } catch (error) {
      // SQLITE_BUSY (https://www.sqlite.org/rescode.html#busy): somebody has it.
      if ((error as { errcode?: number }).errcode !== 5) throw error;
    }
    await setTimeout(AGAIN_MS, undefined, { signal });
  }
}
