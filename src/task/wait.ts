import type { Task } from '../core/task.ts';
import type { TaskParts } from './parts.ts';

/** The task when it has ended. Throws when it is deleted. */
export async function waitForEnd({ store, live }: Pick<TaskParts, 'store' | 'live'>, taskId: string): Promise<Task> {
  let poke = (): void => {};
  const stop = live.watch((changed) => changed === taskId && poke());
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        poke = resolve;
      });
      const task = await store.task(taskId);
      if (task.ended) return task;
      await changed;
    }
  } finally {
    stop();
  }
}
