import { createHash } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { type FigureKey, type FigureRow, otherKey, withDeleted } from '../../core/figures.ts';
import { COUNTED_TASKS, TOTALS_A_DAY } from '../../core/limits.ts';
import type { Database } from './database.ts';
import { type FigureColumns, figureRow } from './figure-row.ts';

/** A task that is about to be deleted. */
interface Dying extends FigureColumns {
  readonly task_id: string;
  readonly created_at: string;
  readonly agent_run: number;
  readonly counted: number;
  readonly duration_seconds: number | null;
}

interface TotalRow extends FigureColumns {
  readonly rowid: number;
  readonly durations_json: string;
}

/** Inside the write transaction that deletes a task: put its figures into the totals of its day. */
export function countDeleted(db: Database, taskNo: number): void {
  const task = db.get<Dying>(
    `SELECT task_id, created_at, substr(created_at, 1, 10) AS day, status, source, assigned_agent AS agent, model, 1 AS runs,
       runner IS NOT NULL AND substr(runner, 1, 6) = 'agent:'
       AS agent_run, counted, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens,
       duration_seconds, last_seq AS lines, trails.error AS errors
     FROM tasks JOIN trails USING (task_no) WHERE task_no = ?`,
    taskNo,
  );
  if (!task || task.counted > 0) return;
  remember(db, markOf(task.task_id, task.created_at));
  const { duration_seconds: duration } = task;
  const row = figureRow(task, { durations: duration === null ? [] : [duration], buckets: {} });
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

function figuresOfTotal(row: TotalRow): FigureRow {
  return figureRow(row, { durations: [], buckets: JSON.parse(row.durations_json) });
}

function remember(db: Database, mark: bigint): void {
  db.run('INSERT OR IGNORE INTO counted_tasks (mark) VALUES (?)', mark);
  db.run('DELETE FROM counted_tasks WHERE n <= (SELECT max(n) FROM counted_tasks) - ?', COUNTED_TASKS);
}

/** The same id may be used again for another task; its moment of creation tells them apart. */
function markOf(taskId: string, createdAt: string): bigint {
  return createHash('sha256').update(`${taskId} ${createdAt}`).digest().readBigInt64BE();
}
