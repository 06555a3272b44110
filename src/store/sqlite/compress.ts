import { BLOCK_LINES, CHUNK_CHARS } from '../../core/limits.ts';
import { Chunk, compressLines, type StoredLine } from './chunk.ts';
import type { Database } from './database.ts';
import { ROW_BYTES } from './keeping.ts';

/** One step of compressing a task, ready to be committed. Without a chunk the task has no plain line left. */
export interface CompressStep {
  readonly taskNo: number;
  readonly chunk?: Ready;
}

interface Ready {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly data: Uint8Array;
  /** The first of its lines that is still a plain one. */
  readonly plainFrom: number;
  /** The chunk whose lines it holds too. */
  readonly replaces: number | undefined;
}

interface ChunkRow {
  chunk_no: number;
  first_seq: number;
  last_seq: number;
  data: Uint8Array;
}

/**
 * Make the next step: some lines of one block of the task that ended longest ago. It only reads: lines never change, so those
 * who append need not wait while it compresses.
 * @returns undefined when every task that ended before is compressed
 */
export function prepareStep(db: Database, endedBefore: string): CompressStep | undefined {
  const task = db.get<{ task_no: number }>(
    `SELECT task_no FROM tasks INDEXED BY tasks_to_compress WHERE compressed = 0 AND completed_at < ?
     ORDER BY completed_at LIMIT 1`,
    endedBefore,
  );
  if (!task) return undefined;
  const { task_no: taskNo } = task;
  const plain = plainLines(db, taskNo);
  const [first] = plain;
  const last = plain.at(-1);
  if (!first || !last) return { taskNo };
  const before = unfilled(db, taskNo, first.seq);
  const lines = before ? [...before.chunk.lines, ...plain] : plain;
  return {
    taskNo,
    chunk: {
      firstSeq: before?.chunk.firstSeq ?? first.seq,
      lastSeq: last.seq,
      data: compressLines(lines),
      plainFrom: first.seq,
      replaces: before?.number,
    },
  };
}

/** Inside a write transaction: put the chunk in the place of its lines, or note that the task is done. */
export function commitStep(db: Database, { taskNo, chunk }: CompressStep, numbers: { revision: number }): void {
  if (!chunk) {
    db.run(
      'UPDATE tasks SET compressed = ?2 WHERE task_no = ?1 AND NOT EXISTS (SELECT 1 FROM lines WHERE task_no = ?1)',
      ...[taskNo, ++numbers.revision],
    );
    return;
  }
  const { firstSeq, lastSeq, data, plainFrom, replaces } = chunk;
  const range = [taskNo, plainFrom, lastSeq];
  const found = db.get<{ lines: number; chars: number }>(
    `SELECT count(*) AS lines, sum(length(message) + length(coalesce(metadata_json, ''))) AS chars
     FROM lines WHERE task_no = ? AND seq BETWEEN ? AND ?`,
    ...range,
  );
  // Deleted since, or compressed by another process: the next step sees what is left.
  if (found?.lines !== lastSeq - plainFrom + 1) return;
  const replaced = db.get<{ bytes: number }>(
    'DELETE FROM chunks WHERE chunk_no = ? RETURNING length(data) AS bytes',
    replaces ?? null,
  );
  if (replaces !== undefined && !replaced) return;
  db.run(
    'INSERT INTO chunks (task_no, first_seq, last_seq, data) VALUES (?, ?, ?, ?)',
    ...[taskNo, firstSeq, lastSeq],
    data,
  );
  db.run('DELETE FROM lines WHERE task_no = ? AND seq BETWEEN ? AND ?', ...range);
  const freedBytes = found.chars + found.lines * ROW_BYTES + (replaced?.bytes ?? 0);
  db.run('UPDATE trails SET bytes = max(0, bytes - ?) + ? WHERE task_no = ?', freedBytes, data.length, taskNo);
}

/** The first plain lines of a task: as many as lie in one block and fit into one chunk. */
function plainLines(db: Database, taskNo: number): StoredLine[] {
  const lines: StoredLine[] = [];
  let chars = 0;
  for (const line of db.iterate<StoredLine>(
    'SELECT seq, id, timestamp, facet_no, message, metadata_json FROM lines WHERE task_no = ? ORDER BY seq',
    taskNo,
  )) {
    lines.push(line);
    chars += line.message.length + (line.metadata_json?.length ?? 0);
    if (line.seq % BLOCK_LINES === 0 || chars >= CHUNK_CHARS) break;
  }
  return lines;
}

/** The chunk right before a line when there is room in it: late lines fill it up, so that they do not leave crumbs. */
function unfilled(db: Database, taskNo: number, seq: number): { number: number; chunk: Chunk } | undefined {
  if ((seq - 1) % BLOCK_LINES === 0) return undefined;
  const row = db.get<ChunkRow>(
    'SELECT chunk_no, first_seq, last_seq, data FROM chunks WHERE task_no = ? AND last_seq = ?',
    ...[taskNo, seq - 1],
  );
  if (!row) return undefined;
  const chunk = new Chunk(row.first_seq, row.data);
  return chunk.chars < CHUNK_CHARS / 2 ? { number: row.chunk_no, chunk } : undefined;
}
