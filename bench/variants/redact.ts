/*
 * Awaited batches of the embedded API: `plain` lines with the masking that there always is, the same with values registered
 * (`values 20`, `values 1000`), and `off`, in which nothing is looked for.
 */
import { createHash } from 'node:crypto';
import { StoreIntake } from '../../src/intake/intake.ts';
import { createRedactor, type Redactor } from '../../src/intake/redact.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { BATCH, benchLine, cpuMs, FIRST_MS, LINES, report } from '../lines.ts';

const [values = 'off', dataDir = '.'] = process.argv.slice(2);
const store = new SqliteStore(dataDir, {});
const secrets = Array.from({ length: Number(values) || 0 }, (_, index) =>
  createHash('sha256').update(`value ${index}`).digest('base64url'),
);
const intake = new StoreIntake(store, { redactor: values === 'off' ? blind() : createRedactor(secrets) });
await intake.createTask({ taskId: 'task-1' });
const bodies: string[] = [];
for (let from = 0; from < LINES; from += BATCH) {
  const lines = Array.from({ length: Math.min(BATCH, LINES - from) }, (_, at) =>
    JSON.stringify({ message: benchLine(from + at), timestamp: FIRST_MS + from + at }),
  );
  bodies.push(lines.join('\n'));
}

const cpu = process.cpuUsage();
const start = performance.now();
for (const body of bodies) await intake.append({ taskId: 'task-1', body, format: 'ndjson' });
report({ lines: LINES, wallMs: performance.now() - start, cpuMs: cpuMs(cpu) });
await intake.close();
await store.close();

/** Finds nothing and takes no time. */
function blind(): Redactor {
  return { ...createRedactor(), mask: (text) => text, maskJson: (json) => json, count: 0, counts: {} };
}
