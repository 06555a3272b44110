/*
 * What writing and reading cost the thread that answers people: the delay of its event loop while lines come in and while a
 * pattern is searched, with the database in that thread (`one`) and in threads of its own (`threads`). See docs/decisions/0001.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Intake, StoreReader } from '../../src/core/ports.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { openTrail } from '../../src/trail/open.ts';
import { benchLine, FIRST_MS } from '../lines.ts';
import { DATA_DIR, report } from '../support/server.ts';

const BATCHES = 100;
const SIZE = 5_000;

interface Opened {
  readonly intake: Intake;
  readonly store: StoreReader;
  close(): Promise<void>;
}

const WAYS: Readonly<Record<string, (dataDir: string) => Promise<Opened>>> = {
  one: async (dataDir) => {
    const store = new SqliteStore(dataDir);
    return { store, intake: new StoreIntake(store), close: () => store.close() };
  },
  threads: async (dataDir) => {
    const trail = await openTrail({ dataDir });
    return { ...trail.parts, close: () => trail.close() };
  },
};

const [way = 'threads'] = process.argv.slice(2);
const open = WAYS[way];
if (!open) throw new Error(`expected one of ${Object.keys(WAYS).join(', ')}, got ${way}`);
const { intake, store, close } = await open(DATA_DIR);
await intake.createTask({ taskId: 'task-1' });
const bodies = Array.from({ length: BATCHES }, (_, batch) =>
  Array.from({ length: SIZE }, (_, index) =>
    JSON.stringify({ message: benchLine(batch * SIZE + index), timestamp: FIRST_MS + batch * SIZE + index }),
  ).join('\n'),
);
const writing = await delays('writing', async () => {
  for (const body of bodies) await intake.append({ taskId: 'task-1', body, format: 'ndjson' });
});
const searching = await delays('searching', async () => {
  await store.count('task-1', { search: 'widget-(1|2)+[.]ts in 9', regex: true }, 60_000);
});
await close();
report({ ...writing, ...searching });

async function delays(name: string, run: () => Promise<void>): Promise<Record<string, number>> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await run();
  monitor.disable();
  return { [`${name}P99Ms`]: monitor.percentile(99) / 1e6, [`${name}MostMs`]: monitor.max / 1e6 };
}
