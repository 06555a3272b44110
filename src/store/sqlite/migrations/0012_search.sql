-- Which texts a block of lines may hold (see text-filter.ts): filter_no is task_no * 2^24 + block_no. It tells of the block's lines
-- up to to_seq; those behind have to be looked at.
CREATE TABLE block_filters (
  filter_no INTEGER PRIMARY KEY,
  to_seq INTEGER NOT NULL,
  data BLOB NOT NULL
);
-- Every line up to this seq is in a filter.
ALTER TABLE trails ADD COLUMN filtered INTEGER NOT NULL DEFAULT 0;

-- A walk from new to old finds the blocks that reach a moment: those of class n are at most 4^n ms long and end (Unix ms) at
-- `until` or up to a quarter of that before. So the index changes with few of a block's commits.
ALTER TABLE blocks ADD COLUMN span INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blocks ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
-- 1 when no line is older than the one before it.
ALTER TABLE blocks ADD COLUMN sorted INTEGER NOT NULL DEFAULT 0;
WITH RECURSIVE
  classes (span, ms) AS (SELECT 0, 1 UNION ALL SELECT span + 1, ms * 4 FROM classes WHERE span < 26),
  ends (task_no, block_no, first_ms, last_ms) AS MATERIALIZED (
    SELECT task_no, block_no, CAST(round(unixepoch(first_at, 'subsec') * 1000) AS INTEGER),
      CAST(round(unixepoch(last_at, 'subsec') * 1000) AS INTEGER) FROM blocks),
  reaches (task_no, block_no, span, last_ms, step) AS MATERIALIZED (
    SELECT task_no, block_no, min(span), last_ms, max(1, ms / 4)
    FROM ends JOIN classes ON ms >= last_ms - first_ms GROUP BY task_no, block_no)
UPDATE blocks SET span = reaches.span,
  until = CASE WHEN last_ms > 0 THEN (last_ms + step - 1) / step * step ELSE last_ms / step * step END
FROM reaches WHERE reaches.task_no = blocks.task_no AND reaches.block_no = blocks.block_no;
CREATE INDEX blocks_by_time ON blocks (span, until);
