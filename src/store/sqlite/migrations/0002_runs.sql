-- Who executes a task here, and its place in the queue.
ALTER TABLE tasks ADD COLUMN runner TEXT;
ALTER TABLE tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_run_here ON tasks (status, priority DESC, task_no) WHERE runner IS NOT NULL;
