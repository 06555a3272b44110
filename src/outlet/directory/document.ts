import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { basename } from 'node:path/posix';
import { temporaryName } from './place.ts';

/**
 * Replace a file as a whole: whoever reads it, also after a crash, finds the old text or the new one, never a part.
 * After it resolves, the new one survives a power cut.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const dir = dirname(path);
  const temporary = join(dir, temporaryName(basename(path)));
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncDirectory(dir);
}

/** The rename itself lies in the directory, and is on disk when that is. */
async function syncDirectory(dir: string): Promise<void> {
  const file = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
