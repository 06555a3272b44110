import { setImmediate as nextTurn } from 'node:timers/promises';
import { SqliteStore } from '../store/sqlite/store.ts';
import type { Terminal } from './terminal.ts';

const TELL_MS = 2_000;

/** Make the filters that searching uses anew, from all lines. The directory must be owned. */
export async function reindex(terminal: Terminal, dataDir: string): Promise<void> {
  const store = new SqliteStore(dataDir);
  try {
    const blocks = store.dropFilters();
    let toldMs = performance.now();
    for (let done = 1; store.fillFilters({ all: true }); done++) {
      await nextTurn();
      if (performance.now() - toldMs < TELL_MS) continue;
      toldMs = performance.now();
      terminal.tell(`${Math.min(done, blocks)} of ${blocks} blocks indexed`);
    }
    terminal.tell(`${blocks} of ${blocks} blocks indexed`);
  } finally {
    await store.close();
  }
}
