import type { EntryInput } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import type { EventBatch, EventStep } from '../core/event.ts';
import { refusalsOf } from '../core/event-place.ts';
import { checkTaskId } from '../core/id.ts';
import { EVENT_STEPS, TEXT_CHARS } from '../core/limits.ts';
import type { Applied, EventCommit, EventCommitStep } from '../core/ports.ts';
import type { TaskDraft } from '../core/task.ts';
import type { Redactor } from './redact.ts';
import { checkedChange, checkPlainId, maskedFields } from './task-fields.ts';

interface Preparing {
  readonly redactor: Redactor;
  /** Normalised, masked and gated. Throws what is wrong with them. */
  readonly lines: (taskId: string, entries: readonly EntryInput[]) => EventCommitStep['batch'];
}

interface Prepared {
  readonly commit: EventCommit;
  /** The answers for all steps: those of the store, and the faults of steps that never came to it. */
  readonly applied: (stored: readonly Applied[]) => readonly Applied[];
}

/** Steps as they may be committed; one that is wrong stays out, and its neighbours do not mind. Throws `invalid_request`. */
export function preparedEvents(batch: EventBatch, preparing: Preparing): Prepared {
  const { stream, from, to, buried } = batch;
  if (batch.steps.length > EVENT_STEPS) {
    throw new TrailError('invalid_request', `expected at most ${EVENT_STEPS} steps, got ${batch.steps.length}`);
  }
  const steps: EventCommitStep[] = [];
  const faults = batch.steps.map((step): TrailError | undefined => {
    try {
      steps.push(preparedStep(step, preparing));
      return undefined;
    } catch (error) {
      if (error instanceof TrailError) return error;
      throw error;
    }
  });
  const known = faults.map((error) => (error ? { error } : {}));
  const refused = refusalsOf(batch.steps, known).map(({ id, reason }) => ({
    id,
    reason: preparing.redactor.mask(reason),
  }));
  return {
    commit: { stream, from, to, steps, refused, ...(buried && { buried }) },
    applied: (stored) => {
      let next = 0;
      return faults.map((error) => (error ? { error } : (stored[next++] ?? {})));
    },
  };
}

function preparedStep(step: EventStep, { redactor, lines }: Preparing): EventCommitStep {
  const { id, taskId, webhookEventId, draft, change, entries } = step;
  if (taskId !== null) checkPlainId(checkTaskId(taskId), redactor);
  else if (webhookEventId === null)
    throw new TrailError('invalid_task_id', 'expected a task or a webhook event, got neither');
  return {
    ...(id !== undefined && { id }),
    taskId,
    webhookEventId: webhookEventId === null ? null : maskedEventId(webhookEventId, redactor),
    ...(draft && { draft: checkedFields(draft, redactor) }),
    ...(change && { change: checkedFields(change, redactor) }),
    batch: lines(taskId ?? '', entries),
  };
}

function checkedFields<T extends Omit<TaskDraft, 'taskId' | 'runner'>>(given: T, redactor: Redactor): T {
  const { taskId: _taskId, runner: _runner, ...fields } = given as TaskDraft;
  return maskedFields(checkedChange(fields), redactor) as T;
}

function maskedEventId(eventId: string, redactor: Redactor): string {
  if (eventId.length > 0 && eventId.length <= TEXT_CHARS) return redactor.mask(eventId.toWellFormed());
  throw new TrailError(
    'invalid_request',
    `webhook_event_id: expected 1–${TEXT_CHARS} characters, got ${eventId.length}`,
  );
}
