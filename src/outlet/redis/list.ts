import type { Redis } from 'ioredis';
import { listKey } from '../../core/list.ts';

/** The `seq` of the last line in the list. */
export function placeKey(taskId: string): string {
  return `${listKey(taskId)}:seq`;
}

export interface ListBatch {
  /** Where the list ends before this batch; null when there is none. */
  readonly from: number | null;
  /** Where it ends then. */
  readonly to: number;
  /** What the list holds is not known: it goes. */
  readonly anew: boolean;
  readonly lines: readonly string[];
  readonly max: number;
  readonly ttlSeconds: number;
}

/**
 * A script is carried out whole or not at all, like MULTI, and can look at the place first. ARGV: from, to, first line to keep (from
 * the end), seconds, lines. `unpack` has room for some thousands of values. The first command that writes is one that a Redis
 * without memory refuses: later ones it would let pass.
 */
const APPEND = `
local place = redis.call('GET', KEYS[2])
if not place or redis.call('EXISTS', KEYS[1]) == 0 then place = '' end
if place ~= ARGV[1] then return 0 end
for first = 5, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('LTRIM', KEYS[1], ARGV[3], -1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[4])
return 1`;

/** Append to a list and renew its expiry, in one step. Answers whether the list ended where the batch begins; else nothing was done. */
export async function append(redis: Redis, taskId: string, batch: ListBatch): Promise<boolean> {
  const { from, to, anew, lines, max, ttlSeconds } = batch;
  const keep = anew ? Math.min(lines.length, max) : max;
  const head = [from ?? '', to, -keep, ttlSeconds];
  return (await redis.eval(APPEND, 2, listKey(taskId), placeKey(taskId), ...head, ...lines)) === 1;
}

/** Somebody keeps something else under our key. */
export function isOthers(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}
