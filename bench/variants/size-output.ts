/* What lines take up on disk, beside their JSON Lines: output of builds, as it comes in and compressed. */
import { newTask } from '../../src/core/change.ts';
import { isoTime } from '../../src/core/time.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { buildOutput } from '../../test/support/build-output.ts';
import { BATCH, FIRST_MS } from '../lines.ts';
import { DATA_DIR, report } from '../support/server.ts';

const TASKS = 20;
const TASK_LINES = 25_000;

let jsonlBytes = 0;
const hotBytes = await filled();
const store = new SqliteStore(DATA_DIR);
while (store.compress('9999'));
while (store.fillFilters({ all: true }));
while (await store.tidy());
for (let n = 0; n < TASKS; n++) await checkLines(`build-${n}`);
const { bytes: compressedBytes } = await store.storage();
await store.close();
report({ jsonlBytes, hotBytes, compressedBytes });

/** What is in use of the file: room that is kept free for new lines is not theirs. */
async function filled(): Promise<number> {
  const store = new SqliteStore(DATA_DIR);
  for (let n = 0; n < TASKS; n++) {
    const taskId = `build-${n}`;
    await store.createTask(newTask({ taskId }, isoTime(FIRST_MS)));
    const lines = buildOutput(TASK_LINES, n + 1);
    for (let first = 0; first < lines.length; first += BATCH) {
      const drafts = lines.slice(first, first + BATCH).map((message, i) => ({
        ...{ timestamp: isoTime(FIRST_MS + (first + i) * 20), level: 'INFO' as const, source: 'build' },
        ...{ stream: 'stdout' as const, type: 'log' as const, message, metadataJson: null },
      }));
      await store.append([{ taskId, drafts, filtered: 0, lost: 0 }]);
      for (const { timestamp, level, source, stream, message } of drafts)
        jsonlBytes += Buffer.byteLength(JSON.stringify({ timestamp, level, source, stream, message })) + 1;
    }
    await store.changeTask(taskId, { status: 'completed' });
  }
  const { bytes } = await store.storage();
  await store.close();
  return bytes;
}

async function checkLines(taskId: string): Promise<void> {
  const { count } = await store.read(taskId, { after: TASK_LINES - 100, limit: 1_000 });
  const { total } = await store.stats(taskId);
  if (count !== 100 || total !== TASK_LINES) throw new Error(`expected ${TASK_LINES} lines in ${taskId}, got ${total}`);
}
