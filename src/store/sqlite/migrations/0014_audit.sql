-- Who changed what. Its numbers have no holes: what is missing before the first was dropped.
CREATE TABLE audit (
  audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_name TEXT,
  actor_role TEXT,
  actor_address TEXT,
  action TEXT NOT NULL,
  target_type TEXT NOT NULL,
  target_id TEXT,
  request_id TEXT,
  outcome TEXT NOT NULL,
  details_json TEXT
);
