-- Tasks, their lines, and the counters that are kept with the lines.

-- One row: the numbers that all appenders share, read and written inside their transactions.
CREATE TABLE state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  entry_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  lost INTEGER NOT NULL
);
INSERT INTO state VALUES (1, 0, 0, 0);

-- AUTOINCREMENT: a number is never given again, so the lines of a deleted task cannot appear under a new one.
CREATE TABLE tasks (
  task_no INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL UNIQUE,
  kind TEXT,
  title TEXT,
  status TEXT NOT NULL,
  source TEXT NOT NULL,
  provider TEXT,
  assigned_agent TEXT,
  agent_type TEXT,
  model TEXT,
  user_id TEXT,
  machine_id TEXT,
  owner TEXT,
  tags_json TEXT NOT NULL,
  pinned INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  started_at TEXT,
  completed_at TEXT,
  updated_at TEXT NOT NULL,
  params_json TEXT,
  input_json TEXT,
  metadata_json TEXT,
  cost_usd REAL,
  input_tokens REAL,
  output_tokens REAL,
  cache_read_tokens REAL,
  cache_creation_tokens REAL,
  duration_seconds REAL,
  num_turns REAL,
  result_json TEXT,
  error TEXT,
  exit_code INTEGER
);
CREATE INDEX tasks_by_creation ON tasks (created_at, task_id);
CREATE INDEX tasks_by_status ON tasks (status, created_at, task_id);

-- What changes with every commit of lines, apart from the task's own, larger row.
CREATE TABLE trails (
  task_no INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  debug INTEGER NOT NULL,
  info INTEGER NOT NULL,
  warning INTEGER NOT NULL,
  error INTEGER NOT NULL,
  first_at TEXT,
  last_at TEXT,
  last_line TEXT,
  revision INTEGER NOT NULL
);
CREATE INDEX trails_by_revision ON trails (revision);

-- Each combination of level, source, stream and type once; a line bears its number. '' stands for no stream.
CREATE TABLE facets (
  facet_no INTEGER PRIMARY KEY,
  level TEXT NOT NULL,
  source TEXT NOT NULL,
  stream TEXT NOT NULL,
  type TEXT NOT NULL,
  UNIQUE (level, source, stream, type)
);

-- Clustered by task and seq: a page of one task lies together however many tasks write at once.
CREATE TABLE lines (
  task_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  id INTEGER NOT NULL,
  timestamp TEXT NOT NULL,
  facet_no INTEGER NOT NULL,
  message TEXT NOT NULL,
  metadata_json TEXT,
  PRIMARY KEY (task_no, seq)
) WITHOUT ROWID;
CREATE INDEX lines_by_time ON lines (timestamp);

-- How many lines of each facet a task has.
CREATE TABLE task_facets (
  task_no INTEGER NOT NULL,
  facet_no INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  PRIMARY KEY (task_no, facet_no)
) WITHOUT ROWID;

-- One row sums up 1,024 lines: block n holds the seqs n*1024+1 … (n+1)*1024. facets_json: {"facet_no": lines}.
CREATE TABLE blocks (
  task_no INTEGER NOT NULL,
  block_no INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  facets_json TEXT NOT NULL,
  PRIMARY KEY (task_no, block_no)
) WITHOUT ROWID;

-- What an idempotency key was answered, so that a retry gets the same answer.
CREATE TABLE receipts (
  task_no INTEGER NOT NULL,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,
  accepted INTEGER NOT NULL,
  filtered INTEGER NOT NULL,
  first_seq INTEGER,
  last_seq INTEGER,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (task_no, key)
) WITHOUT ROWID;
CREATE INDEX receipts_by_age ON receipts (at_ms);

-- A deleted task. task_no stays until its lines are gone; they are deleted in small batches.
CREATE TABLE tombstones (
  task_id TEXT PRIMARY KEY,
  task_no INTEGER,
  last_seq INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  deleted_at_ms INTEGER NOT NULL,
  deleted_by TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX tombstones_by_revision ON tombstones (revision);
CREATE INDEX tombstones_to_purge ON tombstones (task_no) WHERE task_no IS NOT NULL;

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value_json TEXT NOT NULL
) WITHOUT ROWID;

-- The lines as any SQLite client wants to read them.
CREATE VIEW task_logs AS
SELECT l.id, t.task_id, l.timestamp, f.level, f.source, l.message, l.metadata_json,
       l.seq, nullif(f.stream, '') AS stream, f.type
FROM lines l
JOIN tasks t ON t.task_no = l.task_no
JOIN facets f ON f.facet_no = l.facet_no;
