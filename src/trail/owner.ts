import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { TrailError } from '../core/error.ts';

const LOCK = 'owner.lock';
const CARD = 'owner.json';

/** How other programs on this machine reach the server that owns a data directory. */
export interface OwnerCard {
  readonly url: string;
  /** Admin token of this run of the server, for programs that may read the file. */
  readonly token: string;
  readonly pid: number;
}

export interface Owner {
  readonly token: string;
  /** Say where the server listens: `<data>/owner.json`, readable by this user only. */
  publish(url: string): Promise<void>;
  /** Take the card away and let another own the directory. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Own a data directory until `close` or the end of the process, however it ends: the lock is an SQLite file under an
 * exclusive transaction, which the operating system lets go with the process. Throws `owner_exists`.
 */
export async function takeOwnership(dataDir: string): Promise<Owner> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = await takeLock(dataDir);
  const token = randomBytes(24).toString('base64url');
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await rm(join(dataDir, CARD), { force: true });
    lock.close();
  };
  return {
    token,
    async publish(url) {
      const card: OwnerCard = { url, token, pid: process.pid };
      const temporary = join(dataDir, `.${CARD}.${process.pid}.tmp`);
      await writeFile(temporary, `${JSON.stringify(card)}\n`, { mode: 0o600 });
      await rename(temporary, join(dataDir, CARD));
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** The card of the directory's server, or null when there is none or its process is gone. */
export async function readOwner(dataDir: string): Promise<OwnerCard | null> {
  try {
    const card = JSON.parse(await readFile(join(dataDir, CARD), 'utf8')) as OwnerCard;
    return isAlive(card.pid) ? card : null;
  } catch {
    return null;
  }
}

async function takeLock(dataDir: string): Promise<DatabaseSync> {
  const path = join(dataDir, LOCK);
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    const card = await readOwner(dataDir);
    const who = card ? `the server ${card.url} (pid ${card.pid})` : 'another server';
    throw new TrailError(
      'owner_exists',
      `${who} owns the data directory ${dataDir}; use that server, stop it, or choose another directory`,
      { cause },
    );
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
