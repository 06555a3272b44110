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
 * A script is carried out whole or not at all, like MULTI, and can look at the place first. ARGV: from, to, anew, -max, seconds,
 * lines. `unpack` has room for some thousands of values.
 */
const APPEND = `
local place = redis.call('GET', KEYS[2])
if not place or redis.call('EXISTS', KEYS[1]) == 0 then place = '' end
if place ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
for first = 6, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('LTRIM', KEYS[1], ARGV[4], -1)
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[5])
return 1`;

/** Append to a list and renew its expiry, in one step. Answers whether the list ended where the batch begins; else nothing was done. */
export async function append(redis: Redis, taskId: string, batch: ListBatch): Promise<boolean> {
  const { from, to, anew, lines, max, ttlSeconds } = batch;
  const head = [from ?? '', to, anew ? 1 : 0, -max, ttlSeconds];
  return (await redis.eval(APPEND, 2, listKey(taskId), placeKey(taskId), ...head, ...lines)) === 1;
}

/** Somebody keeps something else under our key. */
export function isOthers(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}
