import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrailError } from '../core/error.ts';
import { type FileLock, lockFile } from '../task/file-lock.ts';

const LOCK = 'owner.lock';
/** Where cards lie: the owner's, and that of a server which answers while the owner does not listen. */
const NAMES = { owner: 'owner.json', deputy: 'server.json' } as const;
type CardOf = keyof typeof NAMES;

/** How other programs on this machine reach a server of a data directory. */
export interface OwnerCard {
  readonly url: string;
  /** Admin token of this run of the server, for programs that may read the file. */
  readonly token: string;
  readonly pid: number;
  /** It shares the directory with others that have Redis too. */
  readonly shared?: true;
}

/** A card as it lies there: of an owner that does not listen, or not yet, it has no URL. */
export type Card = Omit<OwnerCard, 'url'> & { readonly url: string | null };

export interface Owner {
  readonly token: string;
  readonly isOwner: boolean;
  /** Resolves when it is; one that stands by may never be. */
  readonly elected: Promise<void>;
  /** Say where the server listens: `<data>/owner.json`, readable by this user only. */
  publish(url: string): Promise<void>;
  /** Take the card away and let another own the directory. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Own a data directory until `close` or the end of the process, however it ends. Throws `owner_exists`.
 */
export async function takeOwnership(dataDir: string): Promise<Owner> {
  const lock = await takeLock(dataDir);
  const token = newToken();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await removeCard(dataDir, 'owner', token);
    lock.release();
  };
  return {
    token,
    isOwner: true,
    elected: Promise.resolve(),
    publish: (url) => writeCard(dataDir, 'owner', { url, token, pid: process.pid }),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** The card of the directory's server, or null when none answers: there is none, its process is gone, or it does not listen. */
export async function readOwner(dataDir: string): Promise<OwnerCard | null> {
  for (const whose of ['owner', 'deputy'] as const) {
    const card = await readCard(dataDir, whose);
    if (card && card.url !== null) return { ...card, url: card.url };
  }
  return null;
}

/** Throws `owner_exists`. */
export async function takeLock(dataDir: string): Promise<FileLock> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    return lockFile(join(dataDir, LOCK));
  } catch (cause) {
    const card = (await readOwner(dataDir)) ?? (await readCard(dataDir, 'owner'));
    const who = card ? `the server ${card.url ?? ''} (pid ${card.pid})`.replace('  ', ' ') : 'another server';
    throw new TrailError(
      'owner_exists',
      `${who} owns the data directory ${dataDir}; use that server, stop it, or choose another directory`,
      { cause },
    );
  }
}

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Null when there is none, or its process is gone. */
export async function readCard(dataDir: string, whose: CardOf): Promise<Card | null> {
  try {
    const card = JSON.parse(await readFile(join(dataDir, NAMES[whose]), 'utf8')) as Card;
    return isAlive(card.pid) ? card : null;
  } catch {
    return null;
  }
}

export async function writeCard(dataDir: string, whose: CardOf, card: Card): Promise<void> {
  const temporary = join(dataDir, `.${NAMES[whose]}.${process.pid}.tmp`);
  await writeFile(temporary, `${JSON.stringify(card)}\n`, { mode: 0o600 });
  await rename(temporary, join(dataDir, NAMES[whose]));
}

/** Another's card stays. */
export async function removeCard(dataDir: string, whose: CardOf, token: string): Promise<void> {
  const card = await readCard(dataDir, whose);
  if (card?.token === token) await rm(join(dataDir, NAMES[whose]), { force: true });
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
