import { vanishedTask } from '../../core/change.ts';
import { TrailError } from '../../core/error.ts';
import { KEY_DAYS, TOMBSTONE_DAYS } from '../../core/limits.ts';
import type { Batch } from '../../core/ports.ts';
import type { Changes, EndedMark, EndedQuery, EndedTask, Storage } from '../../core/query.ts';
import { isoTime } from '../../core/time.ts';
import type { Held, Tombstone } from './held.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Unpinned tasks that have ended, by their end and then by their id. */
export function endedOf(all: readonly Held[], { after, before, limit }: EndedQuery): readonly EndedTask[] {
  return all
    .filter(({ task }) => task.completedAt !== null && !task.pinned)
    .map(asEnded)
    .sort(byEnd)
    .filter((task) => before === undefined || task.endedAt < before)
    .filter((task) => after === undefined || byEnd(task, after) > 0)
    .slice(0, limit);
}

export function storageOf(all: readonly Held[]): Storage {
  const made = all.map(({ task }) => task.createdAt).sort();
  return {
    bytes: all.reduce((sum, held) => sum + bytesOf(held), 0),
    deletingBytes: 0,
    fileBytes: 0,
    freeBytes: 0,
    tasks: all.length,
    oldestTaskAt: made[0] ?? null,
  };
}

/** Outside tasks at work of which nothing was heard since a moment, at most `limit`. */
export function silentOf(all: readonly Held[], heardBefore: string, limit: number): readonly Held[] {
  return all
    .filter(
      ({ task: { runner, status, updatedAt }, heardAt }) =>
        runner === null &&
        (status === 'executing' || status === 'discovering') &&
        updatedAt < heardBefore &&
        heardAt < heardBefore,
    )
    .slice(0, limit);
}

export function vanish(held: Held, now: string): void {
  const { updatedAt } = held.task;
  held.task = vanishedTask(held.task, held.heardAt > updatedAt ? held.heardAt : updatedAt, now);
  held.vanished = true;
}

/** What a batch with this key was answered, while that is remembered. Throws `idempotency_mismatch` for another body. */
export function knownReceipt({ keys }: Held, { value, digest }: NonNullable<Batch['key']>, nowMs: number) {
  const known = keys.get(value);
  if (!known || nowMs - known.atMs > KEY_DAYS * DAY_MS) return undefined;
  if (known.digest === digest) return known.receipt;
  throw new TrailError(
    'idempotency_mismatch',
    `the idempotency key ${JSON.stringify(value)} was used with another body; use a new key for new lines`,
  );
}

/** Throws `task_deleted` while the tombstone stands. */
export function checkNotDeleted(taskId: string, tombstone: Tombstone | undefined, nowMs: number): void {
  if (tombstone === undefined || nowMs - tombstone.atMs > TOMBSTONE_DAYS * DAY_MS) return;
  throw new TrailError('task_deleted', `the task ${taskId} was deleted ${isoTime(tombstone.atMs)} by ${tombstone.by}`);
}

/** Tasks and tombstones that changed after a revision, the oldest change first. */
export function changesOf(
  held: ReadonlyMap<string, Held>,
  tombstones: ReadonlyMap<string, Tombstone>,
  { after, limit }: { readonly after: number; readonly limit: number },
): Changes {
  const live = [...held].map(([taskId, { revision, task }]) => ({ taskId, revision, lastSeq: task.log.lastSeq }));
  const dead = [...tombstones].map(([taskId, { revision, lastSeq }]) => ({ taskId, revision, lastSeq }));
  const page = [...live, ...dead]
    .filter(({ revision }) => revision > after)
    .sort((a, b) => a.revision - b.revision)
    .slice(0, limit);
  return {
    revision: page.at(-1)?.revision ?? after,
    tasks: page.map(({ taskId, lastSeq }) => ({ taskId, lastSeq })),
  };
}

/** Forget idempotency keys and tombstones whose time is over. */
export function sweep(all: readonly Held[], tombstones: Map<string, Tombstone>, nowMs: number): void {
  for (const [taskId, { atMs }] of tombstones) {
    if (nowMs - atMs > TOMBSTONE_DAYS * DAY_MS) tombstones.delete(taskId);
  }
  for (const { keys } of all) {
    for (const [value, { atMs }] of keys) if (nowMs - atMs > KEY_DAYS * DAY_MS) keys.delete(value);
  }
}

function asEnded(held: Held): EndedTask {
  const { taskId, title, completedAt, log } = held.task;
  return { taskId, endedAt: completedAt ?? '', title, lines: log.lastSeq, bytes: bytesOf(held) };
}

function bytesOf({ lines }: Held): number {
  return lines.reduce((sum, { message, metadataJson }) => sum + message.length + (metadataJson?.length ?? 0), 0);
}

function byEnd(a: EndedMark, b: EndedMark): number {
  if (a.endedAt !== b.endedAt) return a.endedAt < b.endedAt ? -1 : 1;
  return a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0;
}
