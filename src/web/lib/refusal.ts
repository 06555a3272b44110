import { visible } from './line.ts';
import type { Problem } from './problem.ts';

/** Why a task could not be changed, for people: what the server says, and what that means where it is a conflict. */
export function refusalOf({ status, code, message }: Problem): string {
  const said = visible(message);
  if (status === 403) return `You may look, but not do this: ${said}`;
  if (code === 'task_running')
    return 'The task still runs. It has to end first, or be cancelled together with its deletion.';
  if (code === 'invalid_transition') return `Somebody was faster, or the task went on meanwhile: ${said}`;
  return said;
}
