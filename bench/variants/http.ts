/*
 * HTTP NDJSON into a server of its own process, one client, each request acknowledged after its fsync. The client keeps two
 * requests under way, as a shipper does that reads the next lines while the last are acknowledged.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BATCH, benchLine, FIRST_MS, LINES, report } from '../lines.ts';

const UNDER_WAY = 2;
const dataDir = process.argv[3] ?? '.';
const command = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));
const server = spawn(process.execPath, [command, 'serve'], {
  env: { ...process.env, TASKTRAIL_PORT: '0', TASKTRAIL_DATA_DIR: dataDir },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let printed = '';
while (!/http:\/\/\S+:\d+/.test(printed)) printed += String((await once(server.stdout, 'data'))[0]);
const url = /http:\/\/\S+:\d+/.exec(printed)?.[0] ?? '';
await post('/api/tasks', JSON.stringify({ task_id: 'bench' }), 'application/json');
const bodies = Array.from({ length: Math.ceil(LINES / BATCH) }, (_, batch) =>
  Array.from({ length: Math.min(BATCH, LINES - batch * BATCH) }, (_, index) =>
    JSON.stringify({ message: benchLine(batch * BATCH + index), timestamp: FIRST_MS + batch * BATCH + index }),
  ).join('\n'),
);

const cpuBefore = cpuOf(server.pid ?? 0);
const start = performance.now();
let taken = 0;
await Promise.all(
  Array.from({ length: UNDER_WAY }, async () => {
    while (taken < bodies.length) await post('/api/tasks/bench/logs', bodies[taken++] ?? '', 'application/x-ndjson');
  }),
);
const measured = {
  lines: LINES,
  wallMs: performance.now() - start,
  cpuMs: cpuOf(server.pid ?? 0) - cpuBefore,
};
const { total } = (await (await fetch(`${url}/api/tasks/bench/logs/stats`)).json()) as { total: number };
if (total !== LINES) throw new Error(`stored ${total} of ${LINES} lines`);
server.kill('SIGTERM');
await once(server, 'exit');
report(measured);

async function post(path: string, body: string, type: string): Promise<void> {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
}

/** CPU time of a process and its threads so far, from /proc (ticks of 10 ms); NaN where there is none. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
