-- What may be deleted, the oldest end first.
CREATE INDEX tasks_to_delete ON tasks (completed_at, task_id) WHERE pinned = 0 AND completed_at IS NOT NULL;

-- Tasks that an outside program works on: the ones whose reporter may have vanished.
CREATE INDEX tasks_reported ON tasks (updated_at) WHERE runner IS NULL AND status IN ('executing', 'discovering');

-- When the last line came in, by our own clock: lines may bear times of long ago.
ALTER TABLE trails ADD COLUMN heard_at TEXT;
-- 1 when the task failed because nobody heard of its reporter; who then reports opens it again.
ALTER TABLE trails ADD COLUMN vanished INTEGER NOT NULL DEFAULT 0;
-- About what the lines take up in the file: a counter, kept like the others. Older lines count with a usual size.
ALTER TABLE trails ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE trails SET heard_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), bytes = last_seq * 200;

-- What the purge of a deleted task will give back.
ALTER TABLE tombstones ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tombstones_by_age ON tombstones (deleted_at_ms);
