import type { WireTask } from '../../core/wire.ts';
import type { Spark } from './spark.ts';

const MINUTE_MS = 60_000;
/** A task at work that says nothing for this long is worth a word. */
const SILENT_MS = 2 * MINUTE_MS;

export function isAtWork({ status }: Pick<WireTask, 'status'>): boolean {
  return status === 'executing' || status === 'discovering';
}

/** When a task was last heard of, by a line or a beat; null as long as its lines are not known. */
export function heardAtMs(task: Pick<WireTask, 'updated_at' | 'log'>, spark: Spark | undefined): number | null {
  const updatedMs = Date.parse(task.updated_at);
  if (task.log.last_seq === 0) return updatedMs;
  return spark === undefined ? null : Math.max(updatedMs, spark.lastAtMs ?? 0);
}

/** `silent for 6 min`; null while it is not worth a word. */
export function silence(silentMs: number): string | null {
  if (silentMs < SILENT_MS) return null;
  const minutes = Math.floor(silentMs / MINUTE_MS);
  if (minutes < 60) return `silent for ${minutes} min`;
  if (minutes < 48 * 60) return `silent for ${Math.floor(minutes / 60)} h`;
  return `silent for ${Math.floor(minutes / (24 * 60))} days`;
}
