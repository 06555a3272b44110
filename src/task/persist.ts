import { asTrailError, ERRORS } from '../core/error.ts';
import { RETRY_FIRST_MS, RETRY_MAX_MS } from '../core/limits.ts';

/**
 * Write until the store takes it: without its end a task would seem to run for ever. Answers whether it was taken; it is not when
 * the task was ended by somebody else, deleted, or the store closed, and then there is nothing left to say.
 */
export async function persist(write: () => Promise<unknown>, isOver: () => boolean): Promise<boolean> {
  for (let delayMs = RETRY_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)) {
    try {
      await write();
      return true;
    } catch (error) {
      const { code } = asTrailError(error);
      if (!ERRORS[code].retry || code === 'store_closed') return false;
      await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
      if (isOver()) return false;
    }
  }
}
