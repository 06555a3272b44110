/*
 * What somebody writes who needs nothing else: rows of prepared values into one table, a batch a transaction, fsynced.
 * `clustered`: our columns, keyed by task and seq. `mission`: an id that counts up, with indexes on task and time.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BATCH, FIRST_MS, LINES, readyLine } from '../lines.ts';
import { metered } from '../support/meter.ts';
import { DATA_DIR, report } from '../support/server.ts';

const [layout] = process.argv.slice(2);
const db = new DatabaseSync(join(DATA_DIR, 'bare.db'));
db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=4000');
if (layout === 'mission') {
  db.exec(`CREATE TABLE task_logs (id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    level TEXT NOT NULL, source TEXT NOT NULL, message TEXT NOT NULL, metadata_json TEXT)`);
  db.exec('CREATE INDEX by_task ON task_logs (task_id); CREATE INDEX by_time ON task_logs (timestamp)');
} else {
  db.exec(`CREATE TABLE task_logs (task_no INTEGER, seq INTEGER, timestamp INTEGER, level INTEGER, source INTEGER,
    stream INTEGER, type INTEGER, message TEXT, metadata_json TEXT, PRIMARY KEY (task_no, seq)) WITHOUT ROWID`);
}
const insert =
  layout === 'mission'
    ? db.prepare(
        'INSERT INTO task_logs (task_id, timestamp, level, source, message, metadata_json) VALUES (?, ?, ?, ?, ?, ?)',
      )
    : db.prepare('INSERT INTO task_logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');

const measured = await metered(LINES, () => {
  for (let from = 0; from < LINES; from += BATCH) {
    db.exec('BEGIN IMMEDIATE');
    for (let index = from; index < Math.min(from + BATCH, LINES); index++) {
      const message = readyLine(index);
      if (layout === 'mission') {
        insert.run('task-01', new Date(FIRST_MS + index).toISOString(), 'INFO', 'system', message, null);
      } else {
        insert.run(1, index + 1, FIRST_MS + index, 1, 1, 0, 0, message, null);
      }
    }
    db.exec('COMMIT');
  }
});
db.close();
report(measured);
