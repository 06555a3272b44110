import type { Task } from '../core/task.ts';
import { SERVER_STOPPED } from './ending.ts';
import type { TaskParts } from './parts.ts';
import type { Registered } from './plugin.ts';
import { AT_WORK, isParked, stepOf } from './steps.ts';

/** Tasks of one status looked at in one step. */
const STEP = 1_000;
/** Many may wait here for a person's leave, or be paused before their start: those stay, and are looked at all at once. */
const MIXED = 100_000;

/**
 * Tidy up after a process that stopped or died: tasks that it was executing start again where their plugin may run again, and else
 * are `failed`, "server stopped". What waits (queued, with its plan for a person's leave, or paused before its start) goes on waiting.
 */
export async function recover(parts: TaskParts, plugin: (runner: string) => Registered | undefined): Promise<void> {
  for (const status of AT_WORK) {
    const limit = ['paused', 'pending_approval', 'approved'].includes(status) ? MIXED : STEP;
    for (;;) {
      const found = await parts.store.runs([status], limit);
      const left = found.filter((task) => task.startedAt !== null && !isParked(task));
      for (const task of left) await settle(parts, task, isRestartable(task, plugin(task.runner ?? '')));
      if (found.length < limit || left.length === 0) break;
    }
  }
}

/** Planning changes nothing, so it may begin again whatever its agent says of its work. */
function isRestartable(task: Task, found: Registered | undefined): boolean {
  const does = stepOf(task) === 'discovering' ? found?.planning : found;
  return does?.info.restartable ?? false;
}

async function settle({ intake }: TaskParts, { taskId, metadata }: Task, restartable: boolean): Promise<void> {
  const message = restartable
    ? 'The server stopped while the task ran; it starts again'
    : 'The server stopped while the task ran';
  const line = { message, level: restartable ? 'WARNING' : 'ERROR', source: 'system' };
  await intake.append({ taskId, body: JSON.stringify(line), format: 'json' });
  const ending = restartable ? ({ status: 'queued' } as const) : ({ status: 'failed', error: SERVER_STOPPED } as const);
  await intake.changeTask(taskId, {
    ...ending,
    ...(metadata?.takes_input === true && { metadata: { takes_input: null } }),
  });
}
