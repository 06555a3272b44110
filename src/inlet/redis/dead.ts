import type { Redis } from 'ioredis';
import { REPLAY } from './scripts.ts';
import { deadStream, FIELDS_MAX } from './stream.ts';

/** An event that could not be applied. */
export interface DeadEvent {
  /** Its id among the dead ones. */
  readonly id: string;
  /** The id that it had in the stream. */
  readonly eventId: string;
  readonly reason: string;
  readonly fields: Readonly<Record<string, string>>;
}

const PAGE = 500;

/** The dead events of a stream, the oldest first, at most `limit`. */
export async function deadEvents(redis: Redis, stream: string, limit: number): Promise<readonly DeadEvent[]> {
  const entries = await redis.xrange(deadStream(stream), '-', '+', 'COUNT', limit);
  return entries.map(([id, flat]) => {
    const pairs = flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []));
    const [reason, eventId, ...fields] = pairs;
    return { id, eventId: eventId?.[1] ?? '', reason: reason?.[1] ?? '', fields: Object.fromEntries(fields) };
  });
}

/** Ids of all that are dead now. */
export async function deadIds(redis: Redis, stream: string): Promise<readonly string[]> {
  const dead = deadStream(stream);
  const ids: string[] = [];
  for (let from = '-'; ; from = `(${ids.at(-1)}`) {
    const page = await redis.xrange(dead, from, '+', 'COUNT', PAGE);
    ids.push(...page.map(([id]) => id));
    if (page.length < PAGE) return ids;
  }
}

/** Which of these ids are not among the dead ones. */
export async function missingDead(redis: Redis, stream: string, ids: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const id of ids) if ((await redis.xrange(deadStream(stream), id, id)).length === 0) missing.push(id);
  return missing;
}

/** Move a dead event back to the end of the stream. Answers its new id; null when it is not there (any more). */
export async function replayDead(redis: Redis, stream: string, id: string): Promise<string | null> {
  return (await redis.eval(REPLAY, 2, deadStream(stream), stream, id, FIELDS_MAX)) as string | null;
}
