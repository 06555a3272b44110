/*
 * `job.log(line)` of BullMQ on a Redis that writes each command to disk before it answers (`always`), or each second (`everysec`).
 * `pipelined`: as many as our batches have are under way at once; `awaited`: one after the other. CPU is that of both processes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { BATCH, LINES, readyLine } from '../lines.ts';
import { ownCpuMs, perLine } from '../support/meter.ts';
import { cpuOf, DATA_DIR, report } from '../support/server.ts';

const [way, fsync = 'everysec'] = process.argv.slice(2);
const count = way === 'awaited' ? Math.ceil(LINES / 20) : Math.ceil(LINES / 2);
const socket = join(DATA_DIR, 'r.sock');
const redis = spawn(
  'redis-server',
  [
    ...['--port', '0', '--unixsocket', socket, '--dir', DATA_DIR, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', fsync],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
for (let printed = ''; !/ready to accept/i.test(printed); ) printed += String((await once(redis.stdout, 'data'))[0]);
const queue = new Queue('bench', { connection: { path: socket } });
const job = await queue.add('build', {});

const redisBefore = cpuOf(redis.pid ?? 0);
const cpu = process.cpuUsage();
const startMs = performance.now();
if (way === 'awaited') {
  for (let index = 0; index < count; index++) await job.log(readyLine(index));
} else {
  for (let from = 0; from < count; from += BATCH) {
    const length = Math.min(BATCH, count - from);
    await Promise.all(Array.from({ length }, (_, index) => job.log(readyLine(from + index))));
  }
}
const wallMs = performance.now() - startMs;
const cpuMs = ownCpuMs(cpu) + cpuOf(redis.pid ?? 0) - redisBefore;
const stored = (await queue.getJobLogs(job.id ?? '', 0, 0)).count;
await queue.close();
redis.kill('SIGTERM');
await once(redis, 'exit');
if (stored !== count) throw new Error(`stored ${stored} of ${count} lines`);
report(perLine(count, { wallMs, cpuMs }));
