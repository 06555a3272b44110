import { TrailError } from '../core/error.ts';

/** What a promise gives, or `server_unreachable` when it takes longer. */
export async function within<T>(promise: Promise<T>, ms: number, who: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TrailError('server_unreachable', `${who} does not answer`)), ms);
  });
  try {
    return await Promise.race([promise, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
