-- What each task directory holds, so that a start need not read it: the task's revision that the files show, the last line in
-- them, and {"name": {"bytes": …, "digest": …}}. A row outlives its task until the directory is removed.
CREATE TABLE directories (
  task_no INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  files_json TEXT NOT NULL
);
