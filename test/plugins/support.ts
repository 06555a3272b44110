import type { LogEntry } from '../../src/core/entry.ts';
import type { Trail } from '../../src/core/trail.ts';

/** The first line of a task that fits, stored or still to come. */
export async function seenLine(trail: Trail, taskId: string, fits: (line: LogEntry) => boolean): Promise<LogEntry> {
  for await (const line of trail.follow(taskId)) if (fits(line)) return line;
  throw new Error(`${taskId} ended without such a line`);
}
