import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { TrailError } from '../../core/error.ts';

const LOCK = '.lock';
const WAIT_MS = 10_000;
const TRY_EVERY_MS = 2;

/**
 * Do something that no other writer of these directories does at the same time, in this process or another. The lock is an
 * SQLite file under an exclusive transaction: the operating system lets it go with the process, however that ends.
 */
export async function locked<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const path = join(dir, LOCK);
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    await take(lock, path);
    return await work();
  } finally {
    lock.close();
  }
}

async function take(lock: DatabaseSync, path: string): Promise<void> {
  const untilMs = performance.now() + WAIT_MS;
  for (;;) {
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return;
    } catch (cause) {
      if (performance.now() < untilMs) await wait(TRY_EVERY_MS);
      else throw new TrailError('store_unavailable', `${path} is held by another program; try again`, { cause });
    }
  }
}
