-- The list of tasks in each order that it is asked for; an id decides between equals. What a trail holds has an index only for tasks
-- that have ended: those at work are few, and appending lines changes no index of tasks.
DROP INDEX tasks_by_status;
CREATE INDEX tasks_by_status ON tasks (status, task_id);
CREATE INDEX tasks_by_source ON tasks (source, task_id);
CREATE INDEX tasks_by_title ON tasks (title, task_id) WHERE title IS NOT NULL;
CREATE INDEX tasks_by_update ON tasks (updated_at, task_id);
CREATE INDEX tasks_by_start ON tasks (started_at, task_id) WHERE started_at IS NOT NULL;
CREATE INDEX tasks_by_end ON tasks (completed_at, task_id) WHERE completed_at IS NOT NULL;
CREATE INDEX tasks_by_duration ON tasks (duration_seconds, task_id) WHERE duration_seconds IS NOT NULL;
CREATE INDEX tasks_by_cost ON tasks (cost_usd, task_id) WHERE cost_usd IS NOT NULL;
UPDATE tasks SET (ended_lines, ended_errors) = (SELECT last_seq, error FROM trails WHERE trails.task_no = tasks.task_no)
WHERE completed_at IS NOT NULL AND ended_lines IS NULL;
CREATE INDEX tasks_by_lines ON tasks (ended_lines, task_id) WHERE ended_lines IS NOT NULL;
CREATE INDEX tasks_by_errors ON tasks (ended_errors, task_id) WHERE ended_errors IS NOT NULL;
CREATE INDEX tasks_unended ON tasks (task_id) WHERE ended_lines IS NULL;
CREATE INDEX tasks_by_kind ON tasks (kind) WHERE kind IS NOT NULL;
CREATE INDEX tasks_by_agent ON tasks (assigned_agent) WHERE assigned_agent IS NOT NULL;

-- How many tasks share [tag, status, source, provider, kind, agent]: each task counts once with the tag null, and once with each of its
-- tags. Triggers keep it.
CREATE TABLE task_groups (
  group_json TEXT PRIMARY KEY,
  tasks INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX task_groups_empty ON task_groups (group_json) WHERE tasks = 0;
INSERT INTO task_groups
SELECT json_array(NULL, status, source, provider, kind, assigned_agent), count(*) FROM tasks GROUP BY 1;
INSERT INTO task_groups
SELECT json_array(tag.value, status, source, provider, kind, assigned_agent), count(DISTINCT task_no)
FROM tasks, json_each(tags_json) AS tag WHERE tags_json <> '[]' GROUP BY 1;

CREATE TRIGGER tasks_grouped AFTER INSERT ON tasks BEGIN
  INSERT INTO task_groups VALUES
    (json_array(NULL, new.status, new.source, new.provider, new.kind, new.assigned_agent), 1)
  ON CONFLICT DO UPDATE SET tasks = tasks + 1;
  INSERT INTO task_groups
  SELECT DISTINCT json_array(value, new.status, new.source, new.provider, new.kind, new.assigned_agent), 1
  FROM json_each(new.tags_json) WHERE true
  ON CONFLICT DO UPDATE SET tasks = tasks + 1;
END;

CREATE TRIGGER tasks_ungrouped AFTER DELETE ON tasks BEGIN
  INSERT INTO task_groups VALUES
    (json_array(NULL, old.status, old.source, old.provider, old.kind, old.assigned_agent), -1)
  ON CONFLICT DO UPDATE SET tasks = tasks - 1;
  INSERT INTO task_groups
  SELECT DISTINCT json_array(value, old.status, old.source, old.provider, old.kind, old.assigned_agent), -1
  FROM json_each(old.tags_json) WHERE true
  ON CONFLICT DO UPDATE SET tasks = tasks - 1;
  DELETE FROM task_groups WHERE tasks = 0;
END;

CREATE TRIGGER tasks_regrouped AFTER UPDATE OF status, source, provider, kind, assigned_agent, tags_json ON tasks
WHEN old.status <> new.status OR old.source <> new.source OR old.provider IS NOT new.provider OR old.kind IS NOT new.kind
  OR old.assigned_agent IS NOT new.assigned_agent OR old.tags_json <> new.tags_json
BEGIN
  INSERT INTO task_groups VALUES
    (json_array(NULL, old.status, old.source, old.provider, old.kind, old.assigned_agent), -1),
    (json_array(NULL, new.status, new.source, new.provider, new.kind, new.assigned_agent), 1)
  ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks;
  INSERT INTO task_groups
  SELECT DISTINCT json_array(value, old.status, old.source, old.provider, old.kind, old.assigned_agent), -1
  FROM json_each(old.tags_json)
  UNION ALL
  SELECT DISTINCT json_array(value, new.status, new.source, new.provider, new.kind, new.assigned_agent), 1
  FROM json_each(new.tags_json) WHERE true
  ON CONFLICT DO UPDATE SET tasks = tasks + excluded.tasks;
  DELETE FROM task_groups WHERE tasks = 0;
END;
