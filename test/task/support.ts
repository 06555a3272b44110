import type { TestContext } from 'node:test';
import type { JsonObject, LogEntry } from '../../src/core/entry.ts';
import type { Level } from '../../src/core/level.ts';
import type { Plugin, RunDraft } from '../../src/core/plugin.ts';
import type { Task } from '../../src/core/task.ts';
import { TaskManager, type TaskManagerOptions } from '../../src/task/manager.ts';
import type { LocalTrail } from '../../src/trail/local.ts';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';

export interface Managed {
  readonly trail: LocalTrail;
  readonly tasks: TaskManager;
  readonly dataDir: string;
  /** Run a plugin to its end. */
  done(pluginId: string, params?: JsonObject, draft?: RunDraft): Promise<Task>;
  /** Every line of a task. */
  lines(taskId: string): Promise<readonly LogEntry[]>;
  /** Resolves when the task is seen in this state. */
  when(taskId: string, fits: (task: Task) => boolean): Promise<Task>;
}

interface Options extends TaskManagerOptions {
  readonly dataDir?: string;
  readonly taskLevel?: Level;
  readonly idle?: boolean;
}

/** A manager on a trail of its own, started unless it shall be idle. */
export async function managed(t: TestContext, options: Options = {}): Promise<Managed> {
  const { dataDir = await scratch(t), taskLevel = 'DEBUG', idle = false, ...rest } = options;
  const trail = await openTrail({ dataDir, taskLevel });
  const tasks = new TaskManager(trail, rest);
  t.after(async () => {
    await tasks.close();
    await trail.close();
  });
  if (!idle) await tasks.start();
  const when: Managed['when'] = async (taskId, fits) => {
    let poke = (): void => {};
    const stop = trail.parts.live.watch((changed) => changed === taskId && poke());
    try {
      for (;;) {
        const changed = new Promise<void>((resolve) => {
          poke = resolve;
        });
        const task = await trail.get(taskId);
        if (fits(task)) return task;
        await changed;
      }
    } finally {
      stop();
    }
  };
  return {
    trail,
    tasks,
    dataDir,
    when,
    async done(pluginId, params, draft) {
      const { taskId } = await tasks.run(pluginId, params, draft);
      return tasks.wait(taskId);
    },
    lines: async (taskId) => (await trail.logs(taskId, { limit: -1 })).logs,
  };
}

/** A plugin that does this. */
export function plugin(id: string, execute: Plugin['execute'], rest: Partial<Plugin> = {}): Plugin {
  return { id, name: id, takesContext: true, ...rest, execute };
}
