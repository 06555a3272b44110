/** A line in the Redis list of its task. */
export interface ListedLine {
  /** ISO 8601; empty when the one who wrote the line did not say. */
  readonly timestamp: string;
  /** With `[stdout] ` or `[stderr] ` before what a process printed. */
  readonly message: string;
}

/** The list of a task's newest lines, each a `ListedLine` as JSON. */
export function listKey(taskId: string): string {
  return `tasks:${taskId}:logs`;
}
