/*
 * Intake and store alone, in one thread: `packed` batches as loggers hand them over, or bodies of `ndjson`. What is looked for:
 * `nothing`, `shapes` (as it always is), or registered values beside them (`20`, `1000`); `unindexed` leaves out masking and the
 * filters for searching.
 */
import { createHash } from 'node:crypto';
import { StoreIntake } from '../../src/intake/intake.ts';
import { LinePacker } from '../../src/intake/packed.ts';
import { createRedactor, type Redactor } from '../../src/intake/redact.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { TextFilter } from '../../src/store/sqlite/text-filter.ts';
import { BATCH, FIRST_MS, LINES, readyLine } from '../lines.ts';
import { metered } from '../support/meter.ts';
import { DATA_DIR, report } from '../support/server.ts';

const [format = 'packed', looking = 'shapes'] = process.argv.slice(2);
const values = Array.from({ length: Number(looking) || 0 }, (_, index) =>
  createHash('sha256').update(`value ${index}`).digest('base64url'),
);
const isBlind = looking === 'nothing' || looking === 'unindexed';
if (looking === 'unindexed') {
  TextFilter.prototype.add = () => {};
  TextFilter.prototype.packed = () => new Uint8Array(64);
}
const store = new SqliteStore(DATA_DIR, {});
const intake = new StoreIntake(store, { redactor: isBlind ? blind() : createRedactor(values) });
await intake.createTask({ taskId: 'task-1' });
const batches = Array.from({ length: Math.ceil(LINES / BATCH) }, (_, n) => batchOf(n * BATCH));

const measured = await metered(LINES, async () => {
  for (const batch of batches) await intake.append({ taskId: 'task-1', ...batch });
});
await intake.close();
await store.close();
report(measured);

function batchOf(from: number) {
  const lines = Array.from({ length: Math.min(BATCH, LINES - from) }, (_, at) => ({
    message: readyLine(from + at),
    timestamp: FIRST_MS + from + at,
  }));
  if (format === 'ndjson') {
    return { body: lines.map((line) => JSON.stringify(line)).join('\n'), format: 'ndjson' } as const;
  }
  const packer = new LinePacker();
  for (const line of lines) packer.add(line);
  return { packed: packer.take() };
}

/** Finds nothing and takes no time. */
function blind(): Redactor {
  return { ...createRedactor(), mask: (text) => text, maskJson: (json) => json, count: 0, counts: {} };
}
