import { COMPRESS_EVERY_MS } from '../core/limits.ts';
import { type Clock, isoTime, systemClock } from '../core/time.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A step takes about as long: those who append meanwhile get at least half of the time. */
const PAUSE_MS = 5;

/** A store that does this in steps, and says whether more is left to do. */
interface Compressible {
  compress(endedBefore: string): boolean;
  /** Give back the room that this left. */
  shrink(): boolean;
}

/** Compress the tasks that ended so many days ago: now, and again every hour. */
export function keepCompressed(store: Compressible, afterDays: number, clock: Clock = systemClock): { close(): void } {
  let timer = setTimeout(run, 0);
  function run(): void {
    step(isoTime(clock.now() - afterDays * DAY_MS));
  }
  function step(endedBefore: string): void {
    let more = false;
    try {
      more = store.compress(endedBefore) || store.shrink();
    } catch {
      // Uncompressed lines are as good as compressed ones; what could not be done now is tried again in an hour.
    }
    timer = more ? setTimeout(step, PAUSE_MS, endedBefore) : setTimeout(run, COMPRESS_EVERY_MS);
  }
  return { close: () => clearTimeout(timer) };
}
