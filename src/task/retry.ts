import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { AGENT_RETRY_FIRST_MS, AGENT_RETRY_MAX_MS } from '../core/limits.ts';
import type { Task } from '../core/task.ts';
import { isoTime, systemClock } from '../core/time.ts';

/** Each wait is so many times as long as the one before. */
const GROWTH = 5;

/** A further attempt. */
export interface Retry {
  /** Why, and when it comes, for people. */
  readonly message: string;
  /** What the task keeps of it. */
  readonly metadata: JsonObject;
}

/** The attempt after one that failed; undefined when it was the last one. */
export function nextAttempt(
  { metadata }: Task,
  error: string,
  { retries, firstMs = AGENT_RETRY_FIRST_MS }: { readonly retries: number; readonly firstMs?: number | undefined },
): Retry | undefined {
  const attempt = typeof metadata?.attempt === 'number' ? metadata.attempt : 1;
  if (attempt > retries) return undefined;
  const delayMs = Math.min(firstMs * GROWTH ** (attempt - 1), AGENT_RETRY_MAX_MS);
  const message = `Attempt ${attempt} of ${retries + 1} failed: ${error}; next in ${delayMs / 1000} s`;
  return { message, metadata: { attempt: attempt + 1, retry_at: isoTime(systemClock.now() + delayMs) } };
}

/** How long a task must still wait for its next attempt. */
export function delayOf({ metadata }: Task): number {
  const at = typeof metadata?.retry_at === 'string' ? Date.parse(metadata.retry_at) : Number.NaN;
  return Number.isNaN(at) ? 0 : Math.max(0, at - systemClock.now());
}

/** Whether trying again cannot help. */
export function isFinal(error: unknown): boolean {
  return error instanceof TrailError && error.code === 'budget_spent';
}
