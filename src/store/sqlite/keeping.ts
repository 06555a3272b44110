import { vanishedTask } from '../../core/change.ts';
import type { EndedMark, EndedQuery, EndedTask, Storage } from '../../core/query.ts';
import { isoTime } from '../../core/time.ts';
import { countDeleted } from './daily-totals.ts';
import type { Database } from './database.ts';
import { taskOfRow, taskRow, updateTask } from './task-row.ts';

/** What a line takes up beside its text: its row's other columns and its place in the index of times (measured). */
export const ROW_BYTES = 100;
/** What a task takes up beside its lines: its rows and their places in the indexes. */
const TASK_BYTES = 1_024;

/** Pages are counted by SQLite, files by their records, what deleted tasks still take up by their tombstones: no line is read. */
export function storageOf(db: Database): Storage {
  const pageBytes = pragma(db, 'page_size');
  const freePages = pragma(db, 'freelist_count');
  const usedBytes = (pragma(db, 'page_count') - freePages) * pageBytes;
  const dead = db.get<{ bytes: number | null }>('SELECT sum(bytes) AS bytes FROM tombstones WHERE task_no IS NOT NULL');
  const live = db.get<{ tasks: number; oldest: string | null }>(
    'SELECT count(*) AS tasks, (SELECT min(created_at) FROM tasks) AS oldest FROM tasks',
  );
  const files = db.get<{ bytes: number | null }>(
    'SELECT sum(bytes) AS bytes FROM directories WHERE EXISTS (SELECT 1 FROM tasks WHERE tasks.task_no = directories.task_no)',
  );
  const deletingBytes = Math.min(dead?.bytes ?? 0, usedBytes);
  return {
    bytes: usedBytes - deletingBytes,
    deletingBytes,
    fileBytes: files?.bytes ?? 0,
    freeBytes: freePages * pageBytes,
    tasks: live?.tasks ?? 0,
    oldestTaskAt: live?.oldest ?? null,
  };
}

export function listEnded(db: Database, { after, before, limit }: EndedQuery): readonly EndedTask[] {
  const { endedAt = '', taskId = '' } = after ?? {};
  const rows = db.all<{ task_id: string; completed_at: string; title: string | null; lines: number; bytes: number }>(
    `SELECT tasks.task_id, completed_at, title, last_seq AS lines, trails.bytes + coalesce(directories.bytes, 0) + ${TASK_BYTES}
       + octet_length(coalesce(params_json, '')) + octet_length(coalesce(input_json, ''))
       + octet_length(coalesce(metadata_json, '')) + octet_length(coalesce(result_json, '')) AS bytes
     FROM tasks INDEXED BY tasks_to_delete JOIN trails USING (task_no) LEFT JOIN directories USING (task_no)
     WHERE pinned = 0 AND completed_at IS NOT NULL AND (completed_at, tasks.task_id) > (?, ?) AND completed_at < ?
     ORDER BY completed_at, tasks.task_id LIMIT ?`,
    ...[endedAt, taskId, before ?? '~', limit],
  );
  return rows.map(({ task_id: taskId, completed_at: endedAt, title, lines, bytes }) => ({
    taskId,
    endedAt,
    title,
    lines,
    bytes,
  }));
}

/** Who deletes, and when, in a transaction that counts its changes. */
export interface Burial {
  readonly by: string;
  readonly nowMs: number;
  readonly numbers: { revision: number };
}

/** Inside a write transaction: put a tombstone in the place of a task, and its figures into the totals. Its lines are purged later. */
export function buryTask(db: Database, taskNo: number, { by, nowMs, numbers }: Burial): void {
  countDeleted(db, taskNo);
  db.run(
    `INSERT OR REPLACE INTO tombstones (task_id, task_no, last_seq, revision, deleted_at_ms, deleted_by, bytes)
     SELECT task_id, task_no, last_seq, ?, ?, ?, bytes FROM tasks JOIN trails USING (task_no) WHERE task_no = ?`,
    ...[++numbers.revision, nowMs, by, taskNo],
  );
  db.run('DELETE FROM tasks WHERE task_no = ?', taskNo);
  db.run('DELETE FROM trails WHERE task_no = ?', taskNo);
}

/** Inside a write transaction: bury those that still have this end and are not pinned. */
export function buryEnded(db: Database, marks: readonly EndedMark[], burial: Burial): Map<string, number> {
  const gone = new Map<string, number>();
  for (const { taskId, endedAt } of marks) {
    const row = db.get<{ task_no: number; last_seq: number }>(
      `SELECT task_no, last_seq FROM tasks JOIN trails USING (task_no)
       WHERE task_id = ? AND completed_at = ? AND pinned = 0`,
      ...[taskId, endedAt],
    );
    if (!row) continue;
    buryTask(db, row.task_no, burial);
    gone.set(taskId, row.last_seq);
  }
  return gone;
}

interface Silence {
  readonly heardBefore: string;
  readonly limit: number;
  readonly nowMs: number;
  readonly numbers: { revision: number };
}

/** Inside a write transaction: fail outside tasks at work of which nothing was heard for too long. */
export function failSilent(db: Database, { heardBefore, limit, nowMs, numbers }: Silence): Map<string, number> {
  const gone = new Map<string, number>();
  const silent = db.all<{ task_id: string; heard_at: string }>(
    `SELECT task_id, max(updated_at, coalesce(heard_at, '')) AS heard_at
     FROM tasks INDEXED BY tasks_reported JOIN trails USING (task_no)
     WHERE runner IS NULL AND status IN ('executing', 'discovering') AND updated_at < ?1
       AND coalesce(heard_at, '') < ?1 LIMIT ?2`,
    ...[heardBefore, limit],
  );
  for (const { task_id, heard_at } of silent) {
    const row = taskRow(db, task_id, nowMs);
    updateTask(db, row, vanishedTask(taskOfRow(row), heard_at, isoTime(nowMs)));
    db.run('UPDATE trails SET vanished = 1, revision = ? WHERE task_no = ?', ++numbers.revision, row.task_no);
    gone.set(row.task_id, row.last_seq);
  }
  return gone;
}

function pragma(db: Database, name: string): number {
  return db.get<Record<string, number>>(`PRAGMA ${name}`)?.[name] ?? 0;
}
