import type { Draft } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import type { Refusal } from '../../core/event.ts';
import { checkPlace, checkWaiting, forgottenMs, keptRefusals, refusalsOf } from '../../core/event-place.ts';
import { eventTask, taskAfterEvent } from '../../core/event-task.ts';
import type { Applied, EventCommit, EventCommitStep } from '../../core/ports.ts';
import { isoTime } from '../../core/time.ts';
import type { Appender, Moved, Numbers } from './append.ts';
import type { Database } from './database.ts';
import { addTask, changeRow, findTask, taskOfRow } from './task-row.ts';

/** Webhook events whose time is over that one step forgets. */
const SWEEP_ROWS = 200;

/** The write transaction that a commit of events is. */
export interface EventWork {
  readonly db: Database;
  readonly appender: Appender;
  readonly numbers: Numbers;
  readonly nowMs: number;
  readonly moved: Moved;
}

/** Inside a write transaction: what `Store.applyEvents` promises. */
export function commitEvents(
  { stream, from, to, steps, refused = [], buried }: EventCommit,
  work: EventWork,
): readonly Applied[] {
  const row = findRow(work.db, stream);
  checkPlace(stream, { from, found: row?.place ?? null });
  const applied = new Steps(work).apply(steps);
  const now = [...refused, ...refusalsOf(steps, applied)];
  putPlace(work.db, stream, {
    place: to,
    refused: keptRefusals(refusalsIn(row), { refused: now, ...(buried && { buried }) }),
  });
  return applied;
}

interface PlaceRow {
  readonly place: string;
  readonly refused_json: string | null;
}

export function findPlace(db: Database, stream: string): string | null {
  return findRow(db, stream)?.place ?? null;
}

export function findRefusals(db: Database, stream: string): readonly Refusal[] {
  return refusalsIn(findRow(db, stream));
}

function findRow(db: Database, stream: string): PlaceRow | undefined {
  return db.get<PlaceRow>('SELECT place, refused_json FROM event_places WHERE stream = ?', stream);
}

function refusalsIn(row: PlaceRow | undefined): readonly Refusal[] {
  return row?.refused_json ? (JSON.parse(row.refused_json) as readonly Refusal[]) : [];
}

/** Inside a write transaction. */
export function putPlace(
  db: Database,
  stream: string,
  to: { place: string | null; refused?: readonly Refusal[] },
): void {
  const { place, refused = [] } = to;
  const json = refused.length > 0 ? JSON.stringify(refused) : null;
  if (place === null) db.run('DELETE FROM event_places WHERE stream = ?', stream);
  else db.run('INSERT OR REPLACE INTO event_places VALUES (?, ?, ?)', stream, place, json);
}

/** Inside a write transaction: forget some webhook events whose time is over. Answers whether more may be left. */
export function sweepEvents(db: Database, nowMs: number): boolean {
  const untilMs = forgottenMs(nowMs);
  const lines = db.run(
    `DELETE FROM webhook_event_lines WHERE (event_id, n) IN
       (SELECT event_id, n FROM webhook_event_lines WHERE at_ms <= ? LIMIT ?)`,
    ...[untilMs, SWEEP_ROWS],
  );
  const tasks = db.run(
    `DELETE FROM webhook_event_tasks WHERE event_id IN
       (SELECT event_id FROM webhook_event_tasks WHERE at_ms <= ? LIMIT ?)`,
    ...[untilMs, SWEEP_ROWS],
  );
  return lines + tasks > 0;
}

type Lines = EventCommitStep['batch'];

/** Lines of steps that share an append. */
interface Gathered {
  readonly drafts: Draft[];
  filtered: number;
  lost: number;
  readonly steps: number[];
}

/**
 * The steps of one commit. Lines of a task gather until a step says something else of it, or to the end: then they are one append,
 * which costs little more than that of a single line. Order matters within a task only.
 */
class Steps {
  readonly #work: EventWork;
  readonly #now: string;
  readonly #gathered = new Map<string, Gathered>();
  readonly #applied: Applied[] = [];

  constructor(work: EventWork) {
    this.#work = work;
    this.#now = isoTime(work.nowMs);
  }

  apply(steps: readonly EventCommitStep[]): readonly Applied[] {
    for (const [index, step] of steps.entries()) {
      this.#applied.push({});
      try {
        this.#step(step, index);
      } catch (error) {
        // What the step itself is refused for; anything else takes the whole commit with it.
        if (!(error instanceof TrailError)) throw error;
        this.#applied[index] = { error };
      }
    }
    for (const taskId of this.#gathered.keys()) this.#append(taskId);
    return this.#applied;
  }

  #step(step: EventCommitStep, index: number): void {
    const { webhookEventId, batch } = step;
    const { db, nowMs } = this.#work;
    if (step.taskId === null) {
      const taskId = webhookEventId === null ? undefined : findTaskOf(db, webhookEventId, nowMs);
      if (taskId !== undefined) this.#gather(taskId, batch, index);
      else if (webhookEventId !== null) keep(db, webhookEventId, { batch, nowMs });
      return;
    }
    if (step.draft || step.change || webhookEventId !== null) {
      this.#append(step.taskId);
      this.#change(step.taskId, step);
    }
    if (webhookEventId !== null) {
      for (const waiting of take(db, webhookEventId, nowMs)) this.#gather(step.taskId, waiting, index);
      db.run('INSERT OR REPLACE INTO webhook_event_tasks VALUES (?, ?, ?)', webhookEventId, nowMs, step.taskId);
    }
    this.#gather(step.taskId, batch, index);
  }

  #change(taskId: string, step: EventCommitStep): void {
    const { db, numbers, moved } = this.#work;
    const row = findTask(db, taskId);
    if (!row) {
      this.#make(taskId, step);
      return;
    }
    const before = taskOfRow(row);
    const after = taskAfterEvent(before, step, { now: this.#now, vanished: row.vanished > 0 });
    if (after === before) return;
    changeRow(db, row, after, numbers);
    if (after.ended) this.#work.appender.ended(row.task_no);
    moved.set(taskId, { lastSeq: row.last_seq, reopened: true });
  }

  /** Throws `task_deleted`. */
  #make(taskId: string, said: Pick<EventCommitStep, 'draft' | 'change'>): void {
    addTask(this.#work.db, eventTask(taskId, said, this.#now), this.#work);
    this.#work.moved.set(taskId, { lastSeq: 0, reopened: true });
  }

  #gather(taskId: string, { drafts, filtered, lost }: Lines, index: number): void {
    let gathered = this.#gathered.get(taskId);
    if (!gathered) {
      gathered = { drafts: [], filtered: 0, lost: 0, steps: [] };
      this.#gathered.set(taskId, gathered);
    }
    for (const draft of drafts) gathered.drafts.push(draft);
    gathered.filtered += filtered;
    gathered.lost += lost;
    gathered.steps.push(index);
  }

  #append(taskId: string): void {
    const gathered = this.#gathered.get(taskId);
    if (!gathered) return;
    this.#gathered.delete(taskId);
    const { steps, ...lines } = gathered;
    const error = this.#stored(taskId, lines);
    if (error) for (const index of steps) this.#applied[index] = { error };
  }

  #stored(taskId: string, lines: Lines): TrailError | undefined {
    const { appender } = this.#work;
    const batch = { taskId, ...lines };
    const { error } = appender.append(batch, this.#work);
    if (error?.code !== 'task_not_found') return error;
    this.#make(taskId, {});
    return appender.append(batch, this.#work).error;
  }
}

function findTaskOf(db: Database, eventId: string, nowMs: number): string | undefined {
  return db.get<{ task_id: string }>(
    'SELECT task_id FROM webhook_event_tasks WHERE event_id = ? AND at_ms > ?',
    ...[eventId, forgottenMs(nowMs)],
  )?.task_id;
}

/** Throws `too_many_lines`. */
function keep(db: Database, eventId: string, { batch, nowMs }: { batch: Lines; nowMs: number }): void {
  const { drafts, lost } = batch;
  if (drafts.length === 0 && lost === 0) return;
  const json = JSON.stringify(drafts);
  const held = db.get<{ n: number; lines: number; chars: number }>(
    `SELECT coalesce(max(n), 0) AS n, coalesce(sum(lines) FILTER (WHERE at_ms > ?1), 0) AS lines,
       coalesce(sum(chars) FILTER (WHERE at_ms > ?1), 0) AS chars FROM webhook_event_lines WHERE event_id = ?2`,
    ...[forgottenMs(nowMs), eventId],
  ) ?? { n: 0, lines: 0, chars: 0 };
  checkWaiting({ lines: held.lines + drafts.length, chars: held.chars + json.length });
  db.run(
    'INSERT INTO webhook_event_lines VALUES (?, ?, ?, ?, ?, ?, ?)',
    ...[eventId, held.n + 1, nowMs, drafts.length, lost, json.length, json],
  );
}

function take(db: Database, eventId: string, nowMs: number): readonly Lines[] {
  const rows = db.all<{ drafts_json: string; lost: number }>(
    'SELECT drafts_json, lost FROM webhook_event_lines WHERE event_id = ? AND at_ms > ? ORDER BY n',
    ...[eventId, forgottenMs(nowMs)],
  );
  if (rows.length > 0) db.run('DELETE FROM webhook_event_lines WHERE event_id = ?', eventId);
  return rows.map(({ drafts_json, lost }) => ({ drafts: JSON.parse(drafts_json) as Draft[], filtered: 0, lost }));
}
