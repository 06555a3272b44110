const FIRST_MS = 500;
/** Most servers that go away are restarted: for a minute a page that waits is back within seconds of them. */
const SOON_MS = 4_000;
const SOON_TRIES = 18;
const MAX_MS = 15_000;

/**
 * How long to wait before try number `attempt` (1, 2, 3 …): doubling from 0.5 s to 4 s, and after a minute on to 15 s. Up to a quarter is
 * taken off at random, so that the pages of many people do not all come back in the same moment.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const soonMs = Math.min(SOON_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 20));
  const fullMs = Math.min(MAX_MS, soonMs * 2 ** Math.min(Math.max(0, attempt - SOON_TRIES), 20));
  return Math.max(FIRST_MS, Math.round(fullMs * (1 - random() / 4)));
}
