import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { PRUNE_COMMIT_TASKS, PRUNE_TASKS } from '../core/limits.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import type { EndedMark, EndedTask, Prunable, Pruned } from '../core/query.ts';
import { isoTime } from '../core/time.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface PruneRules {
  /** Tasks that ended longer ago go. */
  readonly olderThanDays?: number | undefined;
  /** When the store and the files of tasks take more, the tasks that ended first go until it fits. */
  readonly maxBytes?: number | undefined;
}

/** The rules as settings give them, where 0 means that there is none. */
export function rulesOf({ retentionDays, maxBytes }: { retentionDays: number; maxBytes: number }): PruneRules {
  return {
    ...(retentionDays > 0 && { olderThanDays: retentionDays }),
    ...(maxBytes > 0 && { maxBytes }),
  };
}

/** What a record of tasks that were deleted by rules says. */
export function retentionDetails(tasks: number, { olderThanDays, maxBytes }: PruneRules): JsonObject {
  return { tasks, older_than_days: olderThanDays ?? null, max_bytes: maxBytes ?? null };
}

export interface PruneStep {
  readonly rules: PruneRules;
  /** Only say what would go. */
  readonly dryRun: boolean;
  readonly nowMs: number;
  /** Where the step before ended. */
  readonly cursor?: string | undefined;
}

interface PruneParts {
  readonly store: Pick<StoreReader, 'ended' | 'storage'>;
  readonly intake: Pick<Intake, 'prune'>;
}

/** A place in the order of ends, with the bytes that a dry run counts as given back before it. */
interface Place {
  readonly mark: EndedMark | undefined;
  readonly freedBytes: number;
}

/**
 * One step of deleting what the rules say, at most PRUNE_TASKS tasks. A task that is pinned or opened again meanwhile stays.
 * Sizes are estimates, so that after the last step a disk limit is to be looked at again.
 */
export async function pruneStep(parts: PruneParts, step: PruneStep): Promise<Pruned> {
  const from = placeOf(step.cursor);
  const found = await prunable(parts, step, from);
  const last = found.at(-1);
  const freedBytes = step.dryRun ? from.freedBytes + sum(found) : 0;
  const full = found.length >= PRUNE_TASKS && last !== undefined;
  return {
    tasks: step.dryRun ? found : await deleted(parts, found),
    nextCursor: full ? cursorOf({ mark: last, freedBytes }) : null,
  };
}

async function prunable({ store }: PruneParts, { rules, nowMs }: PruneStep, from: Place): Promise<readonly Prunable[]> {
  const { olderThanDays, maxBytes } = rules;
  const found: Prunable[] = [];
  if (olderThanDays !== undefined) {
    const before = isoTime(nowMs - olderThanDays * DAY_MS);
    const old = await store.ended({ after: from.mark, before, limit: PRUNE_TASKS });
    found.push(...old.map((task): Prunable => ({ ...task, rule: 'retention' })));
  }
  if (maxBytes === undefined || found.length >= PRUNE_TASKS) return found;
  const { bytes, fileBytes } = await store.storage();
  let excessBytes = bytes + fileBytes - maxBytes - from.freedBytes - sum(found);
  if (excessBytes <= 0) return found;
  for (const task of await store.ended({ after: found.at(-1) ?? from.mark, limit: PRUNE_TASKS - found.length })) {
    found.push({ ...task, rule: 'disk limit' });
    excessBytes -= task.bytes;
    if (excessBytes <= 0) break;
  }
  return found;
}

/** In commits of a few tasks, with turns between them for those who append. */
async function deleted({ intake }: PruneParts, tasks: readonly Prunable[]): Promise<readonly Prunable[]> {
  const gone = new Set<string>();
  for (const rule of ['retention', 'disk limit'] as const) {
    const going = tasks.filter((task) => task.rule === rule);
    for (let start = 0; start < going.length; start += PRUNE_COMMIT_TASKS) {
      const some = going.slice(start, start + PRUNE_COMMIT_TASKS);
      const marks = some.map(({ taskId, endedAt }) => ({ taskId, endedAt }));
      for (const taskId of await intake.prune(marks, rule)) gone.add(taskId);
    }
  }
  return tasks.filter(({ taskId }) => gone.has(taskId));
}

function sum(tasks: readonly EndedTask[]): number {
  return tasks.reduce((total, { bytes }) => total + bytes, 0);
}

function cursorOf({ mark, freedBytes }: Place): string {
  return Buffer.from(JSON.stringify([mark?.endedAt, mark?.taskId, freedBytes])).toString('base64url');
}

function placeOf(cursor: string | undefined): Place {
  if (cursor === undefined) return { mark: undefined, freedBytes: 0 };
  try {
    const [endedAt, taskId, freedBytes] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (typeof endedAt === 'string' && typeof taskId === 'string' && Number.isFinite(freedBytes)) {
      return { mark: { endedAt, taskId }, freedBytes: Number(freedBytes) };
    }
  } catch {
    // Told below, as any other text that is none of ours.
  }
  throw new TrailError('invalid_cursor', 'cursor: expected the next_cursor of an earlier answer, got something else');
}
