import type { JsonObject } from '../core/entry.ts';
import type { Status } from '../core/status.ts';
import type { Task } from '../core/task.ts';
import { isAgent } from './registry.ts';

/** A task that is at work here: these it may leave for an ending. */
export const AT_WORK: readonly Status[] = [
  'discovering',
  'executing',
  'awaiting_input',
  'pending_approval',
  'approved',
  'paused',
];

/** What a run of a task does: make a plan, or the work. */
export type Step = 'discovering' | 'executing';

/** An agent that needs leave plans what it is asked until it has a plan. What else runs here only works. */
export function stepOf(task: Task): Step {
  return needsLeave(task) && typeof task.metadata?.plan !== 'string' ? 'discovering' : 'executing';
}

/** What a task that waits is claimed for. A plan counts only behind its approval. */
export function nextStep(task: Task): Step {
  return needsLeave(task) && task.status === 'queued' ? 'discovering' : 'executing';
}

/** Whether a task waits with its plan, for a person or for a place: no run of it is under way. Agents never ask in the middle. */
export function isParked(task: Task): boolean {
  return isAgent(task) && (task.status === 'pending_approval' || task.status === 'approved');
}

/** Waits for a place: approved before it started, or parked; a run that asked for leave in its middle goes on by itself. */
export function isWaiting(task: Task): boolean {
  return task.status === 'queued' || (task.status === 'approved' && (task.startedAt === null || isParked(task)));
}

function needsLeave(task: Task): boolean {
  return isAgent(task) && task.params?.approval === true;
}

/** Without what only a run says of its task: that secrets are kept for it, that it has a plan, how often it was tried, where. */
export function withoutMarks(metadata: JsonObject | null | undefined): JsonObject {
  const {
    secret_params: _secret,
    plan: _plan,
    attempt: _attempt,
    retry_at: _at,
    takes_input: _input,
    worker: _worker,
    ...rest
  } = metadata ?? {};
  return rest;
}
