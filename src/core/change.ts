import type { Draft } from './entry.ts';
import { TrailError } from './error.ts';
import { newTaskId } from './id.ts';
import { LAST_LINE_CHARS } from './limits.ts';
import { checkMove, isEnded, type Status } from './status.ts';
import { type Metrics, NO_METRICS, type Task, type TaskChange, type TaskDraft, type TaskLog } from './task.ts';

const NO_LINES = {
  total: 0,
  lastSeq: 0,
  lost: 0,
  byLevel: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 },
  lastLine: null,
};
const PROVIDERS: readonly string[] = ['github', 'jira', 'slack', 'sentry'];

/** A draft with every default filled in; a field that is undefined counts as left out. `now` is ISO 8601. */
export function newTask(given: TaskDraft, now: string): Task {
  const draft = defined(given);
  const status = draft.status ?? 'executing';
  const createdAt = draft.createdAt ?? now;
  const source = draft.source ?? 'api';
  const ended = isEnded(status);
  const startedAt = draft.startedAt ?? (isWorking(status) ? createdAt : null);
  const completedAt = ended ? (draft.completedAt ?? now) : null;
  return {
    kind: null,
    title: null,
    assignedAgent: null,
    agentType: null,
    model: null,
    userId: null,
    machineId: null,
    owner: null,
    runner: null,
    priority: 0,
    tags: [],
    pinned: false,
    params: null,
    input: null,
    metadata: null,
    result: null,
    error: null,
    exitCode: null,
    ...draft,
    taskId: draft.taskId ?? newTaskId(),
    source,
    provider: draft.provider ?? providerOf(source),
    status,
    ended,
    createdAt,
    startedAt,
    completedAt,
    updatedAt: now,
    metrics: timed({ ...NO_METRICS, ...defined(draft.metrics ?? {}) }, startedAt, completedAt),
    log: NO_LINES,
  };
}

/** The provider that a source is. */
export function providerOf(source: string | null | undefined): string | null {
  return source != null && PROVIDERS.includes(source) ? source : null;
}

/**
 * The task after a change: the one place that says what a move does to its other fields. Throws `invalid_transition`, also when
 * the task has none of the statuses `from`.
 * Repeating the same ending answers the very same task, so that a retry changes nothing.
 */
export function changedTask(task: Task, given: TaskChange, now: string, from?: readonly Status[]): Task {
  if (from && !from.includes(task.status)) {
    throw new TrailError('invalid_transition', `expected a task that is ${from.join(' or ')}, it is ${task.status}`);
  }
  const change = defined(given);
  const status = change.status ?? task.status;
  // Who names where a task must stand is the run that knows it.
  checkMove(task.status, status, from !== undefined);
  if (change.status !== undefined && task.ended && status === task.status) return task;
  const ended = isEnded(status);
  const reopened = task.ended && !ended;
  const kept = reopened
    ? { ...task, result: null, error: null, exitCode: null, metrics: { ...task.metrics, durationSeconds: null } }
    : task;
  // Back in the queue it has not started: what it did before is in its lines.
  const begun = status === 'queued' && task.status !== 'queued' ? null : task.startedAt;
  const startedAt = change.startedAt ?? begun ?? (isWorking(status) ? now : null);
  const completedAt = ended ? (change.completedAt ?? task.completedAt ?? now) : null;
  const metrics = { ...kept.metrics, ...defined(change.metrics ?? {}) };
  return {
    ...kept,
    ...change,
    status,
    ended,
    startedAt,
    completedAt,
    updatedAt: now,
    metadata: change.metadata ? { ...task.metadata, ...change.metadata } : task.metadata,
    metrics: timed(metrics, startedAt, completedAt),
    log: task.log,
  };
}

/** Why a task failed whose reporter was not heard of any more. */
export const VANISHED = 'reporter vanished';

/**
 * A task whose reporter was last heard of at a moment: so long it took, as far as anybody knows. It ends only now, so that one
 * that was found after months is not at once too old to be kept.
 */
export function vanishedTask(task: Task, heardAt: string, now: string): Task {
  const durationSeconds = task.metrics.durationSeconds ?? seconds(task.startedAt, heardAt);
  return changedTask(task, { status: 'failed', error: VANISHED, metrics: { durationSeconds } }, now);
}

/**
 * The change of a task whose reporter was thought gone. A heartbeat, which is an empty change, or a new status shows that it is
 * not: the task counts as at work again before it changes. What people change meanwhile, its title for one, does not.
 */
export function changedVanished(task: Task, given: TaskChange, now: string, from?: readonly Status[]): Task {
  const heard = given.status !== undefined || Object.keys(defined(given)).length === 0;
  return changedTask(heard ? reopenedTask(task, now) : task, given, now, from);
}

/** Whether a vanished task still is one after a change: only its reporter opens it again. */
export function isVanished({ status, error }: Task): boolean {
  return status === 'failed' && error === VANISHED;
}

export function reopenedTask(task: Task, now: string): Task {
  return changedTask(task, { status: 'executing' }, now);
}

/** The task's figures after `drafts` were stored and `lost` lines were not. */
export function grownLog(log: TaskLog, drafts: readonly Draft[], lost: number): TaskLog {
  const byLevel = { ...log.byLevel };
  for (const { level } of drafts) byLevel[level]++;
  const newest = drafts.at(-1);
  return {
    total: log.total + drafts.length,
    lastSeq: log.lastSeq + drafts.length,
    lost: log.lost + lost,
    byLevel,
    lastLine: newest ? lineStart(newest.message) : log.lastLine,
  };
}

/** The start of a message, for lists. A character of two code units at the edge stays whole or stays out. */
export function lineStart(message: string): string {
  const start = message.slice(0, LAST_LINE_CHARS);
  return start.isWellFormed() ? start : start.slice(0, -1);
}

/** Without the fields that are undefined, which would else overwrite what they were spread over. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as T;
}

function isWorking(status: Status): boolean {
  return status === 'executing' || status === 'discovering';
}

/** Who does not say how long it took, took from the start to the end: so every task that has both has a duration. */
function timed(metrics: Metrics, startedAt: string | null, completedAt: string | null): Metrics {
  return { ...metrics, durationSeconds: metrics.durationSeconds ?? seconds(startedAt, completedAt) };
}

function seconds(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}
