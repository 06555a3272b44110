import { asTrailError } from '../core/error.ts';
import type { Task } from '../core/task.ts';
import { Children } from './children.ts';
import { SERVER_STOPPED } from './ending.ts';
import type { TaskParts } from './parts.ts';
import type { Registered } from './plugin.ts';
import { AT_WORK, isParked, stepOf } from './steps.ts';

/** Tasks of one status looked at in one step. */
const STEP = 1_000;
/** Many may wait here for a person's leave, or be paused before their start: those stay, and are looked at all at once. */
const MIXED = 100_000;

/**
 * Tidy up after processes that stopped or died: tasks that they were executing start again where their plugin may run again, and else
 * are `failed`, "server stopped". What waits (queued, with its plan for a person's leave, or paused before its start) goes on waiting,
 * and what runs in a process that lives goes on there.
 */
export async function recover(parts: TaskParts, { plugin, isAlive }: RecoveryOptions): Promise<void> {
  const isLeft = seenOnce(isAlive, parts);
  for (const status of AT_WORK) {
    const limit = ['paused', 'pending_approval', 'approved'].includes(status) ? MIXED : STEP;
    for (;;) {
      const found = await parts.store.runs([status], limit);
      const begun = found.filter((task) => task.startedAt !== null && !isParked(task));
      let left = 0;
      for (const task of begun) {
        if (!(await isLeft(workerOf(task)))) continue;
        left += 1;
        await settle(parts, task, isRestartable(task, plugin(task.runner ?? '')));
      }
      if (found.length < limit || left === 0) break;
    }
  }
}

export interface RecoveryOptions {
  readonly plugin: (runner: string) => Registered | undefined;
  readonly isAlive: (worker: string) => Promise<boolean>;
}

function workerOf({ metadata }: Task): string | null {
  return typeof metadata?.worker === 'string' ? metadata.worker : null;
}

/** Asks once for each worker, and ends the children of one that is gone before anything of it starts again. */
function seenOnce(isAlive: RecoveryOptions['isAlive'], { intake }: TaskParts) {
  const seen = new Map<string | null, Promise<boolean>>();
  const look = async (worker: string | null): Promise<boolean> => {
    if (worker !== null && (await isAlive(worker))) return false;
    await Children.endAll(intake, worker);
    return true;
  };
  return (worker: string | null): Promise<boolean> => {
    const answer = seen.get(worker) ?? look(worker);
    seen.set(worker, answer);
    return answer;
  };
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
  const ending = restartable ? ({ status: 'queued' } as const) : ({ status: 'failed', error: SERVER_STOPPED } as const);
  const marks = {
    ...(metadata?.takes_input === true && { takes_input: null }),
    // Where it is not gone after all, it sees that the task is not its own any more.
    ...(metadata?.worker !== undefined && { worker: null }),
  };
  const change = { ...ending, ...(Object.keys(marks).length > 0 && { metadata: marks }) };
  try {
    await intake.append({ taskId, body: JSON.stringify(line), format: 'json' });
    await intake.changeTask(taskId, change, AT_WORK);
  } catch (error) {
    const { code } = asTrailError(error);
    // It was ended, or deleted, by a person meanwhile.
    if (code !== 'invalid_transition' && code !== 'task_deleted' && code !== 'task_not_found') throw error;
  }
}
