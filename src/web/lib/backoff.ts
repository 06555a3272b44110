const FIRST_MS = 500;
const MAX_MS = 15_000;

/**
 * How long to wait before try number `attempt` (1, 2, 3 …): doubling from 0.5 s to 15 s. Up to a quarter is taken off at random, so that
 * the pages of many people do not all come back in the same moment.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const fullMs = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 20));
  return Math.max(FIRST_MS, Math.round(fullMs * (1 - random() / 4)));
}
