import { KEY_DAYS, READ_ROWS, TOMBSTONE_DAYS } from '../../core/limits.ts';
import { type Database, storeError } from './database.ts';
import { TASK_FILTERS } from './filters.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Chunks, or filters, of a deleted task that one step deletes. */
const PURGE_CHUNKS = 64;
/** Free pages (4 KiB) that stay in the file for the lines to come, and those that one step gives back. */
const SPARE_PAGES = 4_096;
const SHRINK_PAGES = 512;
/** Expired keys and tombstones that one step forgets. */
const SWEEP_ROWS = 1_000;

/** Inside a write transaction: delete some of what deleted tasks left. Answers whether more may be left. */
export function purgeSome(db: Database): boolean {
  const dead = db.get<{ task_no: number }>(
    'SELECT task_no FROM tombstones WHERE task_no IS NOT NULL ORDER BY task_no LIMIT 1',
  );
  if (!dead) return false;
  const { task_no: taskNo } = dead;
  const lines = db.run(
    `DELETE FROM lines WHERE task_no = ?1 AND seq <= (SELECT min(seq) FROM lines WHERE task_no = ?1) + ?2`,
    ...[taskNo, READ_ROWS],
  );
  if (lines > 0) return true;
  const chunks = db.run(
    'DELETE FROM chunks WHERE chunk_no IN (SELECT chunk_no FROM chunks WHERE task_no = ? LIMIT ?)',
    ...[taskNo, PURGE_CHUNKS],
  );
  if (chunks > 0) return true;
  const first = taskNo * TASK_FILTERS;
  const filters = db.run(
    `DELETE FROM block_filters WHERE filter_no IN (SELECT filter_no FROM block_filters WHERE filter_no BETWEEN ? AND ? LIMIT ?)`,
    ...[first, first + TASK_FILTERS - 1, PURGE_CHUNKS],
  );
  if (filters > 0) return true;
  for (const table of ['blocks', 'task_facets', 'receipts']) db.run(`DELETE FROM ${table} WHERE task_no = ?`, taskNo);
  db.run('UPDATE tombstones SET task_no = NULL WHERE task_no = ?', taskNo);
  return true;
}

/** Inside a write transaction: forget some idempotency keys and tombstones whose time is over. Answers whether more may be left. */
export function sweepSome(db: Database, nowMs: number): boolean {
  const receipts = db.run(
    'DELETE FROM receipts WHERE (task_no, key) IN (SELECT task_no, key FROM receipts WHERE at_ms < ? LIMIT ?)',
    ...[nowMs - KEY_DAYS * DAY_MS, SWEEP_ROWS],
  );
  const tombstones = db.run(
    `DELETE FROM tombstones WHERE task_id IN
       (SELECT task_id FROM tombstones WHERE deleted_at_ms < ? AND task_no IS NULL LIMIT ?)`,
    ...[nowMs - TOMBSTONE_DAYS * DAY_MS, SWEEP_ROWS],
  );
  return receipts + tombstones > 0;
}

/** Inside a write transaction: give some of the file's free pages back to the file system. Answers whether more may be left. */
export function shrinkSome(db: Database): boolean {
  const free = freePages(db);
  if (free <= SPARE_PAGES) return false;
  db.exec(`PRAGMA incremental_vacuum(${Math.min(free - SPARE_PAGES, SHRINK_PAGES)})`);
  return freePages(db) < free;
}

/** The file itself becomes shorter when what was committed moves into it; nobody waits for anybody here. */
export function checkpoint(db: Database): void {
  try {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    throw storeError(error);
  }
}

function freePages(db: Database): number {
  return db.get<{ freelist_count: number }>('PRAGMA freelist_count')?.freelist_count ?? 0;
}
