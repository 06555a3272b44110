/*
 * So many lines as HTTP NDJSON into a server of its own process, one client, each request acknowledged after its fsync. The client
 * keeps two requests under way, as a shipper does that reads the next lines while the last are acknowledged.
 */
import { join } from 'node:path';
import { BATCH, LINES, ndjsonBody } from '../lines.ts';
import { projected } from '../support/directories.ts';
import { perLine } from '../support/meter.ts';
import { cpuOf, DATA_DIR, memoryOf, report, startServer } from '../support/server.ts';

const UNDER_WAY = 2;
const lines = Number(process.argv[2] ?? LINES);
const dataDir = join(DATA_DIR, 'data');
const server = await startServer(dataDir);
await server.post('/api/tasks', JSON.stringify({ task_id: 'bench' }));

const cpuBefore = cpuOf(server.pid);
const startMs = performance.now();
let taken = 0;
const next = (): number => BATCH * taken++;
await Promise.all(
  Array.from({ length: UNDER_WAY }, async () => {
    for (let from = next(); from < lines; from = next()) {
      const body = ndjsonBody(from, Math.min(BATCH, lines - from));
      await server.post('/api/tasks/bench/logs', body, 'application/x-ndjson');
    }
  }),
);
const wallMs = performance.now() - startMs;
await projected(dataDir, lines);
const cpuMs = cpuOf(server.pid) - cpuBefore;
const { total } = (await (await fetch(`${server.url}/api/tasks/bench/logs/stats`)).json()) as { total: number };
if (total !== lines) throw new Error(`stored ${total} of ${lines} lines`);
const rssMb = memoryOf(server.pid, 'VmHWM');
await server.stop();
report({ ...perLine(lines, { wallMs, cpuMs }), rssMb });
