import type { Database } from './database.ts';

export function readSetting(db: Database, name: string): string | null {
  return db.get<{ value_json: string }>('SELECT value_json FROM settings WHERE name = ?', name)?.value_json ?? null;
}

/** Inside a write transaction. */
export function putSetting(db: Database, name: string, json: string | null): void {
  if (json === null) db.run('DELETE FROM settings WHERE name = ?', name);
  else db.run('INSERT OR REPLACE INTO settings VALUES (?, ?)', name, json);
}
