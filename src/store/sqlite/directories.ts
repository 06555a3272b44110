import type { DirectoryRecord, DirectoryRecords, DirectoryState } from '../../core/directory.ts';
import { type Database, openDatabase, storeError } from './database.ts';

interface Row {
  task_no: number;
  task_id: string;
  task_revision: number;
  compressed: number;
  revision: number | null;
  seq: number | null;
  files_json: string | null;
}

const SELECT = `SELECT tasks.task_no, tasks.task_id, trails.revision AS task_revision, tasks.compressed,
  directories.revision, directories.seq, directories.files_json
  FROM tasks JOIN trails USING (task_no) LEFT JOIN directories USING (task_no)`;

/** The records of the task directories, through a connection of its own. */
export class SqliteDirectoryRecords implements DirectoryRecords {
  readonly #db: Database;

  constructor(dataDir: string) {
    this.#db = openDatabase(dataDir);
    // A record that a power cut takes back is only older than its files, and then they are compared: no fsync for it.
    this.#db.exec('PRAGMA synchronous=NORMAL');
  }

  async revision(): Promise<number> {
    return this.#asked(() => this.#db.get<{ revision: number }>('SELECT revision FROM state')?.revision ?? 0);
  }

  async state(taskId: string): Promise<DirectoryState | undefined> {
    return this.#asked(() => {
      const row = this.#db.get<Row>(`${SELECT} WHERE tasks.task_id = ?`, taskId);
      return row && stateOf(row);
    });
  }

  async states(limit: number, cursor = Number.MAX_SAFE_INTEGER) {
    return this.#asked(() => {
      const sql = `${SELECT} WHERE tasks.task_no < ? ORDER BY tasks.task_no DESC LIMIT ?`;
      const rows = this.#db.all<Row>(sql, cursor, limit);
      return { states: rows.map(stateOf), cursor: rows.length < limit ? null : (rows.at(-1)?.task_no ?? null) };
    });
  }

  async compressed(after: number, limit: number) {
    return this.#asked(() => {
      const sql = 'SELECT task_id, compressed FROM tasks WHERE compressed > ? ORDER BY compressed LIMIT ?';
      const rows = this.#db.all<{ task_id: string; compressed: number }>(sql, after, limit);
      return { revision: rows.at(-1)?.compressed ?? after, taskIds: rows.map(({ task_id }) => task_id) };
    });
  }

  async gone(limit: number): Promise<readonly string[]> {
    return this.#asked(() =>
      this.#db
        .all<{ task_id: string }>(
          `SELECT task_id FROM directories WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.task_no = directories.task_no)
           LIMIT ?`,
          limit,
        )
        .map(({ task_id }) => task_id),
    );
  }

  async save(records: readonly DirectoryRecord[]): Promise<void> {
    this.#asked(() =>
      this.#db.transaction(() => {
        for (const { taskId, revision, seq, files } of records) {
          this.#db.run(
            `INSERT OR REPLACE INTO directories (task_no, task_id, revision, seq, files_json, bytes)
             SELECT task_no, task_id, ?, ?, ?, ? FROM tasks WHERE task_id = ?`,
            ...[revision, seq, JSON.stringify(files), bytesOf(files), taskId],
          );
        }
      }),
    );
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    this.#asked(() =>
      this.#db.transaction(() => {
        for (const taskId of taskIds) {
          this.#db.run(
            `DELETE FROM directories WHERE task_id = ?
             AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.task_no = directories.task_no)`,
            taskId,
          );
        }
      }),
    );
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #asked<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error);
    }
  }
}

function bytesOf(files: DirectoryRecord['files']): number {
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
}

function stateOf(row: Row): DirectoryState {
  const { task_id: taskId, task_revision, compressed, revision, seq, files_json } = row;
  const known = revision !== null && seq !== null && files_json !== null;
  return {
    taskId,
    revision: task_revision,
    compressed: compressed > 0,
    record: known ? { taskId, revision, seq, files: JSON.parse(files_json) } : null,
  };
}
