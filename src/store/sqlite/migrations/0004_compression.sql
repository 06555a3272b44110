-- Lines of tasks that ended long ago, compressed: a chunk holds lines of one block, all that stood before any of the task's
-- plain lines. AUTOINCREMENT: a chunk never changes, so who has read a number need not read it again.
CREATE TABLE chunks (
  chunk_no INTEGER PRIMARY KEY AUTOINCREMENT,
  task_no INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  data BLOB NOT NULL
);
CREATE UNIQUE INDEX chunks_by_seq ON chunks (task_no, last_seq, first_seq);

-- The revision at which the last of a task's lines was compressed; 0 while it may have plain ones.
ALTER TABLE tasks ADD COLUMN compressed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_to_compress ON tasks (completed_at) WHERE compressed = 0;
CREATE INDEX tasks_compressed ON tasks (compressed) WHERE compressed > 0;
