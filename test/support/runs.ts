import type { Live } from '../../src/core/live.ts';
import type { Intake, StoreReader } from '../../src/core/ports.ts';
import { LogBuffer } from '../../src/intake/log-buffer.ts';
import { TaskManager, type TaskManagerOptions } from '../../src/task/manager.ts';

/** A manager for a server of a test's own parts: nobody else uses their store. */
export function managerOf(
  parts: { readonly store: StoreReader; readonly intake: Intake; readonly live: Live },
  options: TaskManagerOptions = {},
): TaskManager {
  const buffer = new LogBuffer(parts.intake);
  const lines = (taskId: string) => ({
    add: (entry: Parameters<LogBuffer['add']>[1]) => buffer.add(taskId, entry),
    flush: () => buffer.flush(taskId),
    drain: () => buffer.drain(taskId),
  });
  return new TaskManager({ parts: { ...parts, lines }, own: async () => {} }, options);
}
