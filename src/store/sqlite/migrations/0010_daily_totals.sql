-- What deleted tasks came to, by the day they were made (UTC): kept for good. NULL figures: no task reported one.
CREATE TABLE daily_totals (
  day TEXT NOT NULL,
  source TEXT NOT NULL,
  agent TEXT,
  model TEXT,
  status TEXT NOT NULL,
  -- 1 for runs of our own agents, which count for the daily budget.
  agent_run INTEGER NOT NULL,
  runs INTEGER NOT NULL,
  cost_usd REAL,
  input_tokens REAL,
  output_tokens REAL,
  cache_read_tokens REAL,
  cache_creation_tokens REAL,
  lines INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  -- {"bucket": runs}: each bucket of durations is 5 % wider than the one before.
  durations_json TEXT NOT NULL
);
CREATE INDEX daily_totals_by_key ON daily_totals (day, status, source, agent, model, agent_run);

-- Deleted tasks that are in the totals, by a digest of their id and creation: the newest so many.
CREATE TABLE counted_tasks (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  mark INTEGER NOT NULL UNIQUE
);

-- 1 when the task was deleted once and brought back: it is in the totals already.
ALTER TABLE tasks ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;

-- Its lines and its errors, kept with a task that has ended, so that analytics need not look for them; NULL: see trails.
ALTER TABLE tasks ADD COLUMN ended_lines INTEGER;
ALTER TABLE tasks ADD COLUMN ended_errors INTEGER;
UPDATE tasks SET (ended_lines, ended_errors) = (SELECT last_seq, error FROM trails WHERE trails.task_no = tasks.task_no)
WHERE completed_at IS NOT NULL;

-- Who did not say how long it took, took from the start to the end: as new tasks are told.
UPDATE tasks SET duration_seconds = max(0, CAST(round((unixepoch(completed_at, 'subsec') - unixepoch(started_at, 'subsec')) * 1000)
  AS INTEGER) / 1000.0)
WHERE duration_seconds IS NULL AND started_at IS NOT NULL AND completed_at IS NOT NULL;

-- All that analytics asks of tasks, in the order in which it groups them: it reads this index and no row of tasks.
CREATE INDEX tasks_figures ON tasks (
  substr(created_at, 1, 10), status, source, assigned_agent, model, created_at,
  duration_seconds, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens,
  ended_lines, ended_errors
) WHERE counted = 0;

-- Why tasks failed, by the start of what they told.
CREATE INDEX tasks_failed ON tasks (created_at, task_no, substr(error, 1, 300))
WHERE counted = 0 AND status IN ('failed', 'timed_out');
