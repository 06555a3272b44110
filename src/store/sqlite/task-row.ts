import type { SQLInputValue } from 'node:sqlite';
import { isVanished } from '../../core/change.ts';
import { TrailError } from '../../core/error.ts';
import { type TaskFacts, taskFacts } from '../../core/expr.ts';
import { TOMBSTONE_DAYS } from '../../core/limits.ts';
import { isEnded, type Status } from '../../core/status.ts';
import type { Metrics, Task } from '../../core/task.ts';
import { isoTime } from '../../core/time.ts';
import { isCounted } from './daily-totals.ts';
import type { Database } from './database.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A row of `tasks` beside its row of `trails`, as `TASK_SELECT` reads it. */
export interface TaskRow {
  task_no: number;
  task_id: string;
  kind: string | null;
  title: string | null;
  status: Status;
  source: string;
  provider: string | null;
  assigned_agent: string | null;
  agent_type: string | null;
  model: string | null;
  user_id: string | null;
  machine_id: string | null;
  owner: string | null;
  runner: string | null;
  priority: number;
  tags_json: string;
  pinned: number;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  updated_at: string;
  params_json: string | null;
  input_json: string | null;
  metadata_json: string | null;
  cost_usd: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_creation_tokens: number | null;
  duration_seconds: number | null;
  num_turns: number | null;
  result_json: string | null;
  error: string | null;
  exit_code: number | null;
  last_seq: number;
  lost: number;
  debug_lines: number;
  info_lines: number;
  warning_lines: number;
  error_lines: number;
  last_line: string | null;
  /** 1 when it failed because its reporter was not heard of any more. */
  vanished: number;
}

export const TASK_SELECT = `SELECT tasks.*, trails.last_seq, trails.lost, trails.debug AS debug_lines, trails.info AS info_lines,
  trails.warning AS warning_lines, trails.error AS error_lines, trails.last_line, trails.vanished
  FROM tasks JOIN trails USING (task_no)`;

/** The task's own columns, without those of its trail. `task_no` is given by the table. */
export type TaskColumns = Omit<
  TaskRow,
  | 'task_no'
  | 'last_seq'
  | 'lost'
  | 'debug_lines'
  | 'info_lines'
  | 'warning_lines'
  | 'error_lines'
  | 'last_line'
  | 'vanished'
>;

/** The task as a filter of its lines sees it. */
export function scanned(row: TaskRow): { readonly taskNo: number; readonly facts: TaskFacts } {
  return { taskNo: row.task_no, facts: taskFacts(taskOfRow(row)) };
}

/** The same without all that no filter looks at; undefined when there is no such task. */
export function factsOf(db: Database, taskNo: number): TaskFacts | undefined {
  const row = db.get<
    Pick<
      TaskRow,
      'task_id' | 'status' | 'kind' | 'assigned_agent' | 'model' | 'tags_json' | 'cost_usd' | 'duration_seconds'
    >
  >(
    `SELECT task_id, status, kind, assigned_agent, model, tags_json, cost_usd, duration_seconds FROM tasks WHERE task_no = ?`,
    taskNo,
  );
  return (
    row &&
    taskFacts({
      ...{
        taskId: row.task_id,
        status: row.status,
        kind: row.kind,
        assignedAgent: row.assigned_agent,
        model: row.model,
      },
      tags: JSON.parse(row.tags_json),
      metrics: { costUsd: row.cost_usd, durationSeconds: row.duration_seconds },
    })
  );
}

export function taskOfRow(row: TaskRow): Task {
  return {
    taskId: row.task_id,
    kind: row.kind,
    title: row.title,
    status: row.status,
    ended: isEnded(row.status),
    source: row.source,
    provider: row.provider,
    assignedAgent: row.assigned_agent,
    agentType: row.agent_type,
    model: row.model,
    userId: row.user_id,
    machineId: row.machine_id,
    owner: row.owner,
    runner: row.runner,
    priority: row.priority,
    tags: JSON.parse(row.tags_json),
    pinned: row.pinned === 1,
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    updatedAt: row.updated_at,
    params: parsed(row.params_json),
    input: parsed(row.input_json),
    metadata: parsed(row.metadata_json),
    metrics: metricsOfRow(row),
    result: parsed(row.result_json),
    error: row.error,
    exitCode: row.exit_code,
    log: {
      total: row.last_seq,
      lastSeq: row.last_seq,
      lost: row.lost,
      byLevel: { DEBUG: row.debug_lines, INFO: row.info_lines, WARNING: row.warning_lines, ERROR: row.error_lines },
      lastLine: row.last_line,
    },
  };
}

export function columnsOfTask(task: Task): TaskColumns {
  const { metrics } = task;
  return {
    task_id: task.taskId,
    kind: task.kind,
    title: task.title,
    status: task.status,
    source: task.source,
    provider: task.provider,
    assigned_agent: task.assignedAgent,
    agent_type: task.agentType,
    model: task.model,
    user_id: task.userId,
    machine_id: task.machineId,
    owner: task.owner,
    runner: task.runner,
    priority: task.priority,
    tags_json: JSON.stringify(task.tags),
    pinned: task.pinned ? 1 : 0,
    created_at: task.createdAt,
    started_at: task.startedAt,
    completed_at: task.completedAt,
    updated_at: task.updatedAt,
    params_json: json(task.params),
    input_json: json(task.input),
    metadata_json: json(task.metadata),
    cost_usd: metrics.costUsd,
    input_tokens: metrics.inputTokens,
    output_tokens: metrics.outputTokens,
    cache_read_tokens: metrics.cacheReadTokens,
    cache_creation_tokens: metrics.cacheCreationTokens,
    duration_seconds: metrics.durationSeconds,
    num_turns: metrics.numTurns,
    result_json: json(task.result),
    error: task.error,
    exit_code: task.exitCode,
  };
}

function insertTask(db: Database, task: Task): number {
  const columns = columnsOfTask(task);
  // What is kept with a task that has ended.
  const ended = task.ended ? { ended_lines: 0, ended_errors: 0 } : {};
  const names = Object.keys({ ...columns, ...ended });
  const values = Object.values({ ...columns, ...ended }) as SQLInputValue[];
  const row = db.get<{ task_no: number }>(
    `INSERT INTO tasks (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) RETURNING task_no`,
    ...values,
  );
  return row?.task_no ?? 0;
}

const SET_ENDED =
  '(ended_lines, ended_errors) = (SELECT last_seq, error FROM trails WHERE trails.task_no = tasks.task_no)';

/** Only columns that change are named: an index of the others is left alone. */
export function updateTask(db: Database, row: TaskRow, task: Task): void {
  const columns = Object.entries(columnsOfTask(task)).filter(([name, value]) => value !== row[name as keyof TaskRow]);
  const set = columns.map(([name]) => `${name} = ?`);
  // While it has ended those who append keep its figures.
  const ends = task.ended !== isEnded(row.status);
  if (ends) set.push(task.ended ? SET_ENDED : 'ended_lines = NULL, ended_errors = NULL');
  if (set.length === 0) return;
  db.run(
    `UPDATE tasks SET ${set.join(', ')} WHERE task_no = ?`,
    ...columns.map(([, value]) => value as SQLInputValue),
    row.task_no,
  );
}

/** Inside a write transaction: a task after a change, and that it changed. */
export function changeRow(db: Database, row: TaskRow, after: Task, numbers: { revision: number }): void {
  updateTask(db, row, after);
  const vanished = row.vanished > 0 && isVanished(after) ? 1 : 0;
  db.run(
    'UPDATE trails SET revision = ?, vanished = ? WHERE task_no = ?',
    ...[++numbers.revision, vanished, row.task_no],
  );
}

/** The row of a task. Throws `task_not_found` or `task_deleted`. */
export function taskRow(db: Database, taskId: string, nowMs: number): TaskRow {
  const row = findTask(db, taskId);
  if (!row) throw missing(db, taskId, nowMs);
  return row;
}

export function findTask(db: Database, taskId: string): TaskRow | undefined {
  return db.get<TaskRow>(`${TASK_SELECT} WHERE tasks.task_id = ?`, taskId);
}

/** Why a task is not there: deleted, by whom and when, or never known. */
export function missing(db: Database, taskId: string, nowMs: number): TrailError {
  return deleted(db, taskId, nowMs) ?? new TrailError('task_not_found', `there is no task ${taskId}`);
}

function deleted(db: Database, taskId: string, nowMs: number): TrailError | undefined {
  const tombstone = db.get<{ deleted_at_ms: number; deleted_by: string }>(
    'SELECT deleted_at_ms, deleted_by FROM tombstones WHERE task_id = ?',
    taskId,
  );
  if (!tombstone || nowMs - tombstone.deleted_at_ms > TOMBSTONE_DAYS * DAY_MS) return undefined;
  const { deleted_at_ms, deleted_by } = tombstone;
  return new TrailError('task_deleted', `the task ${taskId} was deleted ${isoTime(deleted_at_ms)} by ${deleted_by}`);
}

function metricsOfRow(row: TaskRow): Metrics {
  return {
    costUsd: row.cost_usd,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheCreationTokens: row.cache_creation_tokens,
    durationSeconds: row.duration_seconds,
    numTurns: row.num_turns,
  };
}

function parsed<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

interface Adding {
  readonly numbers: { revision: number };
  readonly nowMs: number;
}

/** Inside a write transaction: a new task with an empty trail. Throws `task_exists`, `task_deleted`. */
export function addTask(db: Database, task: Task, { numbers, nowMs }: Adding): void {
  const { taskId } = task;
  const gone = deleted(db, taskId, nowMs);
  if (gone) throw gone;
  if (db.get('SELECT 1 FROM tasks WHERE task_id = ?', taskId)) {
    throw new TrailError('task_exists', `the task ${taskId} exists already; choose another id`);
  }
  const taskNo = insertTask(db, task);
  if (isCounted(db, taskId, task.createdAt)) db.run('UPDATE tasks SET counted = 1 WHERE task_no = ?', taskNo);
  db.run(
    `INSERT INTO trails (task_no, last_seq, lost, debug, info, warning, error, revision)
     VALUES (?, 0, 0, 0, 0, 0, 0, ?)`,
    ...[taskNo, ++numbers.revision],
  );
}
