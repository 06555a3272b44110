/*
 * What writing and reading cost the thread that answers people: the delay of its event loop while lines come in and while a
 * pattern is searched, with the database in that thread and in threads of its own. Figures are in docs/decisions/0001.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Intake, StoreReader } from '../src/core/ports.ts';
import { StoreIntake } from '../src/intake/intake.ts';
import { SqliteStore } from '../src/store/sqlite/store.ts';
import { openTrail } from '../src/trail/open.ts';
import { benchLine, FIRST_MS } from './lines.ts';

const BATCHES = 100;
const SIZE = 5_000;

interface Opened {
  readonly intake: Intake;
  readonly store: StoreReader;
  close(): Promise<void>;
}

const WAYS: Readonly<Record<string, (dataDir: string) => Promise<Opened>>> = {
  'in the same thread': async (dataDir) => {
    const store = new SqliteStore(dataDir);
    return { store, intake: new StoreIntake(store), close: () => store.close() };
  },
  'in threads of their own': async (dataDir) => {
    const trail = await openTrail({ dataDir });
    return { ...trail.parts, close: () => trail.close() };
  },
};

const work = fileURLToPath(new URL('../.cache/bench', import.meta.url));
mkdirSync(work, { recursive: true });
for (const [name, open] of Object.entries(WAYS)) {
  const { intake, store, close } = await open(mkdtempSync(join(work, 'data-')));
  await intake.createTask({ taskId: 'task-1' });
  const bodies = Array.from({ length: BATCHES }, (_, batch) =>
    Array.from({ length: SIZE }, (_, index) =>
      JSON.stringify({ message: benchLine(batch * SIZE + index), timestamp: FIRST_MS + batch * SIZE + index }),
    ).join('\n'),
  );
  const writing = await delays(async () => {
    for (const body of bodies) await intake.append({ taskId: 'task-1', body, format: 'ndjson' });
  });
  const reading = await delays(async () => {
    await store.count('task-1', { search: 'widget-(1|2)+[.]ts in 9', regex: true }, 60_000);
  });
  process.stdout.write(`${name}: writing ${BATCHES * SIZE} lines ${writing}; a pattern over all of them ${reading}\n`);
  await close();
}
rmSync(work, { recursive: true, force: true });

async function delays(run: () => Promise<void>): Promise<string> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  const startMs = performance.now();
  monitor.enable();
  await run();
  monitor.disable();
  const ms = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(1);
  const took = (performance.now() - startMs).toFixed(0);
  return `took ${took} ms, delay p50 ${ms(monitor.percentile(50))}, p99 ${ms(monitor.percentile(99))}, max ${ms(monitor.max)} ms`;
}
