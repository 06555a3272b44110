import { type Drained, drainAll } from './delivery.ts';
import type { Config } from './settings.ts';
import { openTarget, type Target } from './target.ts';
import type { Terminal } from './terminal.ts';

/** Longest time that delivering old lines may hold a command back. */
const DRAIN_MS = 30_000;

/** Work on the store. What earlier runs could not deliver goes there first, so that it is seen. */
export async function withTarget<T>(
  terminal: Terminal,
  config: Config,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  const target = await openTarget(config, { write: false });
  try {
    tellDrained(terminal, await drainAll(config.dataDir, target, AbortSignal.timeout(DRAIN_MS)));
    return await work(target);
  } finally {
    await target.close();
  }
}

/** Say what became of kept lines, if there is anything to say. */
export function tellDrained(terminal: Terminal, { left, refused, fault }: Drained): void {
  for (const { path, error } of refused) terminal.tell(`kept lines were refused (${error.message}) and lie in ${path}`);
  if (left > 0 && fault)
    terminal.tell(`kept lines could not be delivered yet (${fault.message}); they are kept for the next try`);
}
