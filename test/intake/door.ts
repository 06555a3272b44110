import type { LogEntry } from '../../src/core/entry.ts';
import type { RawBatch } from '../../src/core/ports.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';

const NOW_MS = Date.parse('2026-01-24T10:00:00.000Z');

/** The door before a store in memory, with a task to write to, at a time that stands still. */
export async function door(options: { taskLevel?: 'DEBUG' | 'ERROR' } = {}) {
  const clock = { now: () => NOW_MS };
  const store = new MemoryStore({ clock });
  const intake = new StoreIntake(store, { clock, ...options });
  await intake.createTask({ taskId: 'task-1' });
  const send = (body: unknown, rest: Partial<RawBatch> = {}) =>
    intake.append({ taskId: 'task-1', body: JSON.stringify(body), format: 'json', ...rest });
  const lines = (body: string, rest: Partial<RawBatch> = {}) =>
    intake.append({ taskId: 'task-1', body, format: 'ndjson', ...rest });
  const stored = async () => {
    const entries: LogEntry[] = [];
    for (let after = 0, done = false; !done; ) {
      const page = await store.read('task-1', { after, limit: 5_000 });
      entries.push(...page.entries);
      after = page.scannedTo;
      done = page.done;
    }
    return entries;
  };
  return { store, intake, send, lines, stored };
}
