import type { Json } from '../core/entry.ts';
import { TASK_JSON_BYTES } from '../core/limits.ts';
import { readable } from '../core/readable.ts';
import type { TaskChange } from '../core/task.ts';
import { textOf } from '../core/task-logger.ts';

/** What a run returned, as the task keeps it. */
export function keptResult(value: unknown): { readonly result: Json; readonly warning?: string } {
  const result = readable(value);
  const json = JSON.stringify(result);
  if (Buffer.byteLength(json) <= TASK_JSON_BYTES) return { result };
  return {
    result: { too_large: true, characters: json.length, start: json.slice(0, 10_000) },
    warning: `The result has ${json.length} characters, only its start is kept`,
  };
}

/** What a run threw. */
export function failureOf(error: unknown): Pick<TaskChange, 'exitCode'> & { readonly error: string } {
  const message = error instanceof Error ? error.message || error.name : textOf(error);
  const exitCode = error instanceof Error && 'exitCode' in error ? Number(error.exitCode) : Number.NaN;
  return { error: message, ...(Number.isInteger(exitCode) && { exitCode }) };
}
