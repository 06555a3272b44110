import type { DatabaseSync } from 'node:sqlite';

/** Make of a database what it was before migration 15. */
export function beforeTaskList(db: DatabaseSync): void {
  const made = db
    .prepare(
      `SELECT type, name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'tasks' OR type = 'index' AND name IN
        ('tasks_by_status', 'tasks_by_source', 'tasks_by_title', 'tasks_by_update', 'tasks_by_start', 'tasks_by_end',
         'tasks_by_duration', 'tasks_by_cost', 'tasks_by_lines', 'tasks_by_errors', 'tasks_unended', 'tasks_by_kind', 'tasks_by_agent')`,
    )
    .all();
  for (const { type, name } of made) db.exec(`DROP ${type} ${name}`);
  db.exec(`DROP TABLE task_groups; CREATE INDEX tasks_by_status ON tasks (status, created_at, task_id);
    UPDATE tasks SET ended_lines = NULL, ended_errors = NULL WHERE task_no % 2 = 0; PRAGMA user_version = 14`);
}
