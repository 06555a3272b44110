-- Tokens, sessions and links to one task. Only digests of secrets are kept.
CREATE TABLE credentials (
  credential_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  digest TEXT NOT NULL,
  role TEXT NOT NULL,
  name TEXT,
  hint TEXT,
  task_id TEXT,
  -- What a session was got for.
  parent_id TEXT,
  created_at TEXT NOT NULL,
  created_by TEXT,
  expires_at TEXT,
  used_at TEXT
) WITHOUT ROWID;
CREATE INDEX credentials_by_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;

-- Grows with each change, so that other processes see that there was one.
CREATE TABLE credential_state (revision INTEGER NOT NULL);
INSERT INTO credential_state VALUES (0);
