import { KEY_DAYS, TOMBSTONE_DAYS } from '../../core/limits.ts';
import type { Changes, EndedMark, EndedQuery, EndedTask, Storage } from '../../core/query.ts';
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

/** Outside tasks at work of which nothing was heard since a moment. */
export function silentOf(all: readonly Held[], heardBefore: string): readonly Held[] {
  return all.filter(
    ({ task: { runner, status, updatedAt }, heardAt }) =>
      runner === null &&
      (status === 'executing' || status === 'discovering') &&
      updatedAt < heardBefore &&
      heardAt < heardBefore,
  );
}

/** What a batch with this key was answered, while that is remembered. */
export function knownKey({ keys }: Held, value: string, nowMs: number) {
  const known = keys.get(value);
  return known && nowMs - known.atMs <= KEY_DAYS * DAY_MS ? known : undefined;
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
