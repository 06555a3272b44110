import {
  type Credential,
  type CredentialChange,
  type CredentialKind,
  type Credentials,
  type Role,
  tooMany,
} from '../../core/credential.ts';
import { SESSIONS_OF_TOKEN, SHARES, TOKENS } from '../../core/limits.ts';
import { isoTime } from '../../core/time.ts';
import type { Database } from './database.ts';

interface Row {
  credential_id: string;
  kind: CredentialKind;
  digest: string;
  role: Role;
  name: string | null;
  hint: string | null;
  task_id: string | null;
  parent_id: string | null;
  created_at: string;
  created_by: string | null;
  expires_at: string | null;
  used_at: string | null;
}

/** Null when nothing changed since the revision that is known. */
export function listCredentials(db: Database, known?: number): Credentials | null {
  const { revision } = db.get<{ revision: number }>('SELECT revision FROM credential_state') ?? { revision: 0 };
  if (revision === known) return null;
  const rows = db.all<Row>('SELECT * FROM credentials ORDER BY created_at, credential_id');
  return { revision, list: rows.map(credentialOf) };
}

/** Inside a write transaction. Throws `too_many_tokens`, `too_many_shares`. */
export function changeCredentials(
  db: Database,
  { add, uses = [], remove = [] }: CredentialChange,
  nowMs: number,
): void {
  for (const id of remove) db.run('DELETE FROM credentials WHERE credential_id = ?1 OR parent_id = ?1', id);
  for (const { id, usedAt } of uses) {
    db.run(
      'UPDATE credentials SET used_at = ?1 WHERE credential_id = ?2 AND (used_at IS NULL OR used_at < ?1)',
      usedAt,
      id,
    );
  }
  if (add) addCredential(db, add, nowMs);
  db.run('UPDATE credential_state SET revision = revision + 1');
}

/** What has expired makes room first. */
function addCredential(db: Database, credential: Credential, nowMs: number): void {
  const { kind, parentId } = credential;
  db.run("DELETE FROM credentials WHERE kind <> 'token' AND expires_at <= ?", isoTime(nowMs));
  if (kind === 'session') {
    // A browser that never signs out: of too many sessions the one that was used longest ago goes.
    db.run(
      `DELETE FROM credentials WHERE credential_id IN
         (SELECT credential_id FROM credentials WHERE kind = 'session' AND parent_id = ?
          ORDER BY coalesce(used_at, created_at) DESC, credential_id LIMIT -1 OFFSET ?)`,
      ...[parentId, SESSIONS_OF_TOKEN - 1],
    );
  } else {
    const { count } = db.get<{ count: number }>('SELECT count(*) AS count FROM credentials WHERE kind = ?', kind) ?? {
      count: 0,
    };
    if (count >= (kind === 'token' ? TOKENS : SHARES)) throw tooMany(kind);
  }
  db.run(
    'INSERT INTO credentials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ...[credential.id, kind, credential.digest, credential.role, credential.name, credential.hint, credential.taskId],
    ...[parentId, credential.createdAt, credential.createdBy, credential.expiresAt, credential.usedAt],
  );
}

function credentialOf(row: Row): Credential {
  return {
    id: row.credential_id,
    kind: row.kind,
    digest: row.digest,
    role: row.role,
    name: row.name,
    hint: row.hint,
    taskId: row.task_id,
    parentId: row.parent_id,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
  };
}
