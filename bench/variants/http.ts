/*
 * HTTP NDJSON into a server of its own process, one client, each request acknowledged after its fsync. The client keeps two
 * requests under way, as a shipper does that reads the next lines while the last are acknowledged.
 */
import { join } from 'node:path';
import { BATCH, benchLine, FIRST_MS, LINES } from '../lines.ts';
import { projected } from '../support/directories.ts';
import { perLine } from '../support/meter.ts';
import { cpuOf, DATA_DIR, memoryOf, report, startServer } from '../support/server.ts';

const UNDER_WAY = 2;
const dataDir = join(DATA_DIR, 'data');
const server = await startServer(dataDir);
await server.post('/api/tasks', JSON.stringify({ task_id: 'bench' }));
const bodies = Array.from({ length: Math.ceil(LINES / BATCH) }, (_, batch) =>
  Array.from({ length: Math.min(BATCH, LINES - batch * BATCH) }, (_, index) =>
    JSON.stringify({ message: benchLine(batch * BATCH + index), timestamp: FIRST_MS + batch * BATCH + index }),
  ).join('\n'),
);

const cpuBefore = cpuOf(server.pid);
const startMs = performance.now();
let taken = 0;
await Promise.all(
  Array.from({ length: UNDER_WAY }, async () => {
    while (taken < bodies.length)
      await server.post('/api/tasks/bench/logs', bodies[taken++] ?? '', 'application/x-ndjson');
  }),
);
const wallMs = performance.now() - startMs;
await projected(dataDir, LINES);
const cpuMs = cpuOf(server.pid) - cpuBefore;
const { total } = (await (await fetch(`${server.url}/api/tasks/bench/logs/stats`)).json()) as { total: number };
if (total !== LINES) throw new Error(`stored ${total} of ${LINES} lines`);
const rssMb = memoryOf(server.pid, 'VmHWM');
await server.stop();
report({ ...perLine(LINES, { wallMs, cpuMs }), rssMb });
