-- Webhooks made at run time. The secret is as it is: signatures are checked with it.
CREATE TABLE webhooks (
  webhook_id TEXT PRIMARY KEY,
  enabled INTEGER NOT NULL,
  definition_json TEXT NOT NULL,
  secret TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) WITHOUT ROWID;

-- What came in by webhooks, and what became of it.
CREATE TABLE deliveries (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  received_at TEXT NOT NULL,
  delivery_id TEXT,
  event_type TEXT,
  sender TEXT,
  signature TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT,
  detail TEXT,
  task_id TEXT,
  bytes INTEGER NOT NULL,
  replay_of INTEGER,
  headers_json TEXT NOT NULL,
  -- What may not come again, and until when (Unix ms; NULL: for as long as the row is here).
  key TEXT,
  key_until_ms INTEGER,
  -- zstd
  body BLOB,
  -- Counts 1, 2, 3 … within its webhook those that started nothing, and those with a body: the oldest of too many go.
  idle_no INTEGER,
  body_no INTEGER
);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, n);
CREATE UNIQUE INDEX deliveries_by_key ON deliveries (webhook_id, key) WHERE key IS NOT NULL;
CREATE INDEX deliveries_idle ON deliveries (webhook_id, idle_no) WHERE idle_no IS NOT NULL;
CREATE INDEX deliveries_with_body ON deliveries (webhook_id, body_no) WHERE body_no IS NOT NULL;
