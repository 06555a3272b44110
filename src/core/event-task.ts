import { changedTask, changedVanished, newTask, providerOf } from './change.ts';
import { TrailError } from './error.ts';
import type { EventStep } from './event.ts';
import type { Task } from './task.ts';

type Said = Pick<EventStep, 'draft' | 'change'>;

/** The task that an event is the first to speak of: another system works on it. */
export function eventTask(taskId: string, { draft, change }: Said, now: string): Task {
  const made = newTask({ ...draft, source: draft?.source ?? 'redis', taskId, runner: null }, now);
  return moved(made, change, { now, vanished: false });
}

/**
 * The task after what an event says of it; the very same task when that is nothing new.
 *
 * - Fields that the draft names replace those of the task, metadata and metrics are merged. Its status counts only for a task
 *   that it makes: a task that is there is moved by `change` alone.
 * - A change whose move is not allowed is left out whole, with the figures that belong to it. An event never opens an ended task
 *   again, except one whose reporter was thought gone: `started` behind `completed` comes late, whatever came between.
 */
export function taskAfterEvent(
  task: Task,
  { draft, change }: Said,
  at: { readonly now: string; readonly vanished: boolean },
): Task {
  return moved(draft ? merged(task, draft, at.now) : task, change, at);
}

function merged(task: Task, draft: NonNullable<Said['draft']>, now: string): Task {
  const { status: _status, createdAt, source, provider, ...rest } = draft;
  const named = {
    ...rest,
    source: source ?? task.source,
    provider: provider ?? providerOf(source) ?? task.provider,
  };
  return { ...changedTask(task, named, now), createdAt: createdAt ?? task.createdAt };
}

function moved(
  task: Task,
  change: Said['change'],
  { now, vanished }: { readonly now: string; readonly vanished: boolean },
): Task {
  if (!change || (task.ended && !vanished && change.status !== undefined)) return task;
  try {
    return (vanished ? changedVanished : changedTask)(task, change, now);
  } catch (error) {
    if (error instanceof TrailError && error.code === 'invalid_transition') return task;
    throw error;
  }
}
