/*
 * The server's memory while it takes ten million lines over HTTP, and fifty readers of their task are served.
 */
import { benchLine } from '../lines.ts';
import { quantile } from '../stats.ts';
import { Helper } from '../support/helper.ts';
import { cpuOf, memoryOf, report, startServer } from '../support/server.ts';

const LINES = Number(process.env.BENCH_MEMORY_LINES ?? 10_000_000);
const BATCH = 5_000;
const UNDER_WAY = 2;
/** One line of so many is an error: what followers with a filter wait for. */
const ERROR_EVERY = 1_000;
const SAMPLE_MS = 200;

const bodies = Array.from({ length: 40 }, (_, body) => bodyOf(body * BATCH));
const server = await startServer();
let readers: Helper | undefined;
const samples: number[] = [];
const sampling = setInterval(() => samples.push(memoryOf(server.pid, 'VmRSS')), SAMPLE_MS);
try {
  const startRssMb = memoryOf(server.pid, 'VmRSS');
  await server.post('/api/tasks', '{"task_id":"bench"}');
  readers = new Helper('readers.ts', [server.url]);
  await readers.told();
  const cpuMs = cpuOf(server.pid);
  const startMs = performance.now();
  let taken = 0;
  const send = async (): Promise<void> => {
    while (taken < LINES / BATCH) {
      const body = bodies[taken++ % bodies.length] ?? '';
      await server.post('/api/tasks/bench/logs', body, 'application/x-ndjson');
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, send));
  const tookMs = performance.now() - startMs;
  const serverCpuUs = ((cpuOf(server.pid) - cpuMs) * 1_000) / LINES;
  const { total } = (await (await fetch(`${server.url}/api/tasks/bench/logs/stats`)).json()) as { total: number };
  if (total !== LINES) throw new Error(`stored ${total} of ${LINES} lines`);
  await server.post('/api/tasks/bench/complete', '{}');
  readers.tell('end');
  const read = (await readers.told()) as Record<string, number>;
  report({
    mostRssMb: memoryOf(server.pid, 'VmHWM'),
    medianRssMb: quantile(samples, 0.5),
    startRssMb,
    linesPerS: (LINES * 1_000) / tookMs,
    serverCpuUs,
    ...read,
  });
} finally {
  clearInterval(sampling);
  readers?.end();
  await server.stop();
}

function bodyOf(first: number): string {
  return Array.from({ length: BATCH }, (_, index) => {
    const level = (first + index) % ERROR_EVERY === 0 ? 'ERROR' : 'INFO';
    return JSON.stringify({ message: benchLine(first + index), level });
  }).join('\n');
}
