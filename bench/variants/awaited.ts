/* One awaited line at a time, beside a round trip of GET /health and an fsync of as much: on the same disk, in turns. */
import { fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { benchLine } from '../lines.ts';
import { median, quantile } from '../stats.ts';
import { BenchClient } from '../support/client.ts';
import { DATA_DIR, report, startServer } from '../support/server.ts';

const TIMES = 500;
const WARM_UP = 50;

const server = await startServer();
const client = new BenchClient(server.url);
const file = openSync(join(DATA_DIR, 'fsync'), 'w');
const page = Buffer.alloc(4_096, 'x');
const posts: number[] = [];
const healths: number[] = [];
const fsyncs: number[] = [];
try {
  await client.post('/api/tasks', { task_id: 'one' });
  for (let n = -WARM_UP; n < TIMES; n++) {
    const took = await turn(n);
    if (n >= 0) for (const [times, ms] of took) times.push(ms);
  }
  const { total: lines } = await client.json<{ total: number }>('/api/tasks/one/logs/stats');
  if (lines !== TIMES + WARM_UP) throw new Error(`expected ${TIMES + WARM_UP} lines, got ${lines}`);
  const [awaitedMs, healthMs, fsyncMs] = [median(posts), median(healths), median(fsyncs)];
  report({ awaitedMs, awaitedP99Ms: quantile(posts, 0.99), healthMs, fsyncMs });
} finally {
  await client.close();
  await server.stop();
}

async function turn(n: number): Promise<readonly [number[], number][]> {
  const at = [performance.now()];
  await client.post('/api/tasks/one/logs', { message: benchLine(n) });
  at.push(performance.now());
  await client.get('/health');
  at.push(performance.now());
  writeSync(file, page);
  fsyncSync(file);
  at.push(performance.now());
  const took = (step: number): number => (at[step + 1] ?? 0) - (at[step] ?? 0);
  return [posts, healths, fsyncs].map((times, step) => [times, took(step)]);
}
