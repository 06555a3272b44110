-- What the files of a task directory take up together, for the disk limit.
ALTER TABLE directories ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE directories SET bytes =
  (SELECT coalesce(sum(json_extract(value, '$.bytes')), 0) FROM json_each(directories.files_json));
CREATE INDEX directories_by_size ON directories (task_no, bytes);
