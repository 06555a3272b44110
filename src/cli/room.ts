import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Room } from '../server/parts.ts';
import { DATABASE_FILE } from '../store/sqlite/database.ts';
import { batchesIn, spoolDirs } from './spool.ts';

/** Directories of the spool that are looked into; a spool with more is told of by these. */
const SPOOL_DIRS = 1_000;

/** What lies beside the database, and what is left of the disk. What cannot be found out is null. */
export async function roomOf(dataDir: string): Promise<Room> {
  const [disk, wal] = await Promise.all([
    statfs(dataDir).catch(() => null),
    stat(join(dataDir, `${DATABASE_FILE}-wal`)).catch(() => null),
  ]);
  const batches = spoolDirs(dataDir).slice(0, SPOOL_DIRS).flatMap(batchesIn);
  return {
    diskBytes: disk && disk.blocks * disk.bsize,
    diskFreeBytes: disk && disk.bavail * disk.bsize,
    walBytes: wal?.size ?? null,
    spoolBatches: batches.length,
  };
}
