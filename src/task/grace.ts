/** Resolves some time after the signal is aborted, told by `tooLong`: who was told to end is still at work. */
export function grace(signal: AbortSignal, graceMs: number, tooLong: () => void): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = (): void => {
      tooLong();
      resolve();
    };
    const start = (): void => {
      setTimeout(giveUp, graceMs).unref();
    };
    if (signal.aborted) start();
    else signal.addEventListener('abort', start, { once: true });
  });
}
