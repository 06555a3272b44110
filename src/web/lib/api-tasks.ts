import type { WireComparison } from '../../core/comparison.ts';
import type { WireTask } from '../../core/wire.ts';
import { type Api, taskRoute } from './api.ts';
import { problemOf } from './problem.ts';

/** What only the list of tasks asks. */

export function deleteTask(api: Api, { task_id: taskId, ended }: WireTask): Promise<void> {
  return api.ask('DELETE', `${taskRoute(taskId)}${ended ? '' : '?force=true'}`);
}

export function changeTask(
  api: Api,
  { task_id: taskId }: WireTask,
  change: { readonly tags?: readonly string[]; readonly pinned?: boolean },
): Promise<WireTask> {
  return api.ask('PATCH', taskRoute(taskId), { ...change });
}

export function compareTasks(api: Api, taskId: string, baseId: string): Promise<WireComparison> {
  return api.ask('GET', `${taskRoute(taskId)}/logs/compare?with=${encodeURIComponent(baseId)}`);
}

/** The lines of one task as JSON Lines. */
export async function linesOf(base: string, { task_id: taskId }: WireTask): Promise<Blob> {
  const response = await fetch(`${base}${taskRoute(taskId)}/logs/download?format=jsonl`);
  if (!response.ok) throw await problemOf(response);
  return response.blob();
}

/** Whether the server can store lines; null when it does not answer at all, which is told elsewhere. */
export async function readyOf(base: string): Promise<boolean | null> {
  try {
    const { status } = await fetch(`${base}ready`);
    return status === 200 ? true : status === 503 ? false : null;
  } catch {
    return null;
  }
}
