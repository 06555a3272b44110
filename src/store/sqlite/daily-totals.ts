import { createHash } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { dayOf } from '../../core/analytics.ts';
import { type FigureKey, type FigureRow, otherKey, withDeleted } from '../../core/figures.ts';
import { COUNTED_TASKS, TOTALS_A_DAY } from '../../core/limits.ts';
import type { Status } from '../../core/status.ts';
import type { Database } from './database.ts';

interface Dying {
  task_id: string;
  created_at: string;
  status: Status;
  source: string;
  assigned_agent: string | null;
  model: string | null;
  agent_run: number;
  counted: number;
  cost_usd: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_creation_tokens: number | null;
  duration_seconds: number | null;
  lines: number;
  errors: number;
}

interface TotalRow {
  rowid: number;
  day: string;
  source: string;
  agent: string | null;
  model: string | null;
  status: Status;
  runs: number;
  cost_usd: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cache_read_tokens: number | null;
  cache_creation_tokens: number | null;
  lines: number;
  errors: number;
  durations_json: string;
}

/** Inside the write transaction that deletes a task: put its figures into the totals of its day. */
export function countDeleted(db: Database, taskNo: number): void {
  const task = db.get<Dying>(
    `SELECT task_id, created_at, status, source, assigned_agent, model, runner IS NOT NULL AND substr(runner, 1, 6) = 'agent:'
       AS agent_run, counted, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens,
       duration_seconds, last_seq AS lines, trails.error AS errors
     FROM tasks JOIN trails USING (task_no) WHERE task_no = ?`,
    taskNo,
  );
  if (!task || task.counted > 0) return;
  remember(db, markOf(task.task_id, task.created_at));
  const row = figuresOf(task);
  const agentRun = task.agent_run;
  const known = find(db, row, agentRun);
  // Sources, agents and models are strangers' words: there may be as many as there are tasks.
  const key = known || totalsKept(db, row.day) < TOTALS_A_DAY ? row : otherKey(row);
  const held = known ?? find(db, key, agentRun);
  const total = withDeleted(held && figuresOfTotal(held), { ...row, ...key });
  put(db, total, { agentRun, rowid: held?.rowid ?? null });
}

/** Whether this very task was deleted once, and is in the totals. */
export function isCounted(db: Database, taskId: string, createdAt: string): boolean {
  return db.get('SELECT 1 FROM counted_tasks WHERE mark = ?', markOf(taskId, createdAt)) !== undefined;
}

/** The totals of one day. */
export function totalsOf(db: Database, day: string): readonly FigureRow[] {
  return db.all<TotalRow>('SELECT rowid, * FROM daily_totals WHERE day = ?', day).map(figuresOfTotal);
}

/** What deleted runs of our own agents cost that were made on a day. */
export function deletedSpending(db: Database, day: string): { usd: number; tokens: number } {
  const row = db.get<{ usd: number; tokens: number }>(
    `SELECT total(cost_usd) AS usd, total(input_tokens) + total(output_tokens) + total(cache_read_tokens)
       + total(cache_creation_tokens) AS tokens FROM daily_totals WHERE day = ? AND agent_run = 1`,
    day,
  );
  return { usd: row?.usd ?? 0, tokens: row?.tokens ?? 0 };
}

function totalsKept(db: Database, day: string): number {
  return db.get<{ kept: number }>('SELECT count(*) AS kept FROM daily_totals WHERE day = ?', day)?.kept ?? 0;
}

function find(db: Database, { day, status, source, agent, model }: FigureKey, agentRun: number): TotalRow | undefined {
  return db.get<TotalRow>(
    `SELECT rowid, * FROM daily_totals
     WHERE day = ? AND status = ? AND source = ? AND agent IS ? AND model IS ? AND agent_run = ?`,
    ...[day, status, source, agent, model, agentRun],
  );
}

function put(db: Database, total: FigureRow, { agentRun, rowid }: { agentRun: number; rowid: number | null }): void {
  const { day, source, agent, model, status, runs, costUsd, lines, errors, buckets } = total;
  const tokens = [total.inputTokens, total.outputTokens, total.cacheReadTokens, total.cacheCreationTokens];
  const values: readonly SQLInputValue[] = [
    ...[day, source, agent, model, status, agentRun, runs, costUsd, ...tokens, lines, errors],
    JSON.stringify(buckets),
  ];
  db.run(
    `INSERT OR REPLACE INTO daily_totals (rowid, day, source, agent, model, status, agent_run, runs, cost_usd, input_tokens,
       output_tokens, cache_read_tokens, cache_creation_tokens, lines, errors, durations_json)
     VALUES (?, ${values.map(() => '?').join(', ')})`,
    ...[rowid, ...values],
  );
}

function figuresOf(task: Dying): FigureRow {
  return {
    ...{ day: dayOf(task.created_at), source: task.source, agent: task.assigned_agent, model: task.model },
    ...{ status: task.status, runs: 1, costUsd: task.cost_usd },
    ...{ inputTokens: task.input_tokens, outputTokens: task.output_tokens },
    ...{ cacheReadTokens: task.cache_read_tokens, cacheCreationTokens: task.cache_creation_tokens },
    ...{ lines: task.lines, errors: task.errors },
    durations: task.duration_seconds === null ? [] : [task.duration_seconds],
    buckets: {},
  };
}

function figuresOfTotal({ day, source, agent, model, status, runs, lines, errors, ...row }: TotalRow): FigureRow {
  return {
    ...{ day, source, agent, model, status, runs, lines, errors, costUsd: row.cost_usd },
    ...{ inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    ...{ cacheReadTokens: row.cache_read_tokens, cacheCreationTokens: row.cache_creation_tokens },
    durations: [],
    buckets: JSON.parse(row.durations_json),
  };
}

function remember(db: Database, mark: bigint): void {
  db.run('INSERT OR IGNORE INTO counted_tasks (mark) VALUES (?)', mark);
  db.run('DELETE FROM counted_tasks WHERE n <= (SELECT max(n) FROM counted_tasks) - ?', COUNTED_TASKS);
}

/** The same id may be used again for another task; its moment of creation tells them apart. */
function markOf(taskId: string, createdAt: string): bigint {
  return createHash('sha256').update(`${taskId} ${createdAt}`).digest().readBigInt64BE();
}
