import { hkdfSync, randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'shared.json';
const ID_BYTES = 12;
const KEY_BYTES = 32;

/** What the servers of one data directory have in common, and those of another one on the same Redis have not. */
export interface SharedKey {
  readonly id: string;
  /** Seals what passes through Redis. */
  readonly key: Buffer;
}

/** What the servers of a data directory sign links with: another key than the one that seals, from the same secret. */
export async function signingKey(dataDir: string): Promise<Buffer> {
  const { key } = await sharedKey(dataDir);
  return Buffer.from(hkdfSync('sha256', key, '', 'tasktrail links', KEY_BYTES));
}

/** Made by the first who asks, readable by this user only. */
export async function sharedKey(dataDir: string): Promise<SharedKey> {
  const path = join(dataDir, FILE);
  const made = { id: randomBytes(ID_BYTES).toString('hex'), key: randomBytes(KEY_BYTES).toString('base64') };
  const own = join(dataDir, `.${FILE}.${made.id}.tmp`);
  await writeFile(own, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  try {
    // A link is made whole, or not at all when somebody else was faster.
    await link(own, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(own, { force: true });
  }
  const { id, key } = JSON.parse(await readFile(path, 'utf8')) as typeof made;
  return { id, key: Buffer.from(key, 'base64') };
}
