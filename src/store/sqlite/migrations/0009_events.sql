-- How far each stream of events of another system has been stored.
CREATE TABLE event_places (
  stream TEXT PRIMARY KEY,
  place TEXT NOT NULL
) WITHOUT ROWID;

-- Lines of webhook events that wait for their task: a row for each event of the stream, in their order.
CREATE TABLE webhook_event_lines (
  event_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  chars INTEGER NOT NULL,
  drafts_json TEXT NOT NULL,
  PRIMARY KEY (event_id, n)
);
CREATE INDEX webhook_event_lines_by_age ON webhook_event_lines (at_ms);

-- The task of a webhook event, for the lines that come after it.
CREATE TABLE webhook_event_tasks (
  event_id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  task_id TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhook_event_tasks_by_age ON webhook_event_tasks (at_ms);
