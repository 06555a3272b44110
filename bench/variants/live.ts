/*
 * From the start of a POST until viewers have its lines: `live.ts ours|bare ws|sse VIEWERS LINES_PER_S`. Load, server and viewers are
 * processes of their own. A request leaves when its time has come, whether those before it are answered or not.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { benchLine } from '../lines.ts';
import type { Post } from '../processes/live-viewers.ts';
import { sharedMs } from '../support/frames.ts';
import { Helper } from '../support/helper.ts';
import { ownCpuMs } from '../support/meter.ts';
import { type BenchServer, cpuOf, memoryOf, report, startScript, startServer } from '../support/server.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const [who, way = 'ws', viewers = '50', linesPerS = '1000'] = process.argv.slice(2);
const EVERY_MS = Number(linesPerS) < 5_000 ? 20 : 10;
const BATCH = Math.round((Number(linesPerS) * EVERY_MS) / 1_000);
const TASK = '/api/tasks/bench';

const server =
  who === 'bare'
    ? await startScript([fileURLToPath(new URL('../processes/broadcast.ts', import.meta.url))])
    : await startServer();
let viewing: Helper | undefined;
try {
  await server.post('/api/tasks', '{"task_id":"bench"}');
  const path = way === 'sse' ? `${TASK}/logs?follow=true` : '/ws/logs/bench';
  viewing = new Helper('live-viewers.ts', [new URL(path, server.url).href, way, viewers]);
  await viewing.told();
  const cpuMs = [cpuOf(server.pid), ownCpuMs()] as const;
  const startMs = sharedMs();
  const { posts, rssMb } = await load(server, startMs);
  viewing.tell(posts);
  await server.post(`${TASK}/complete`, '{}');
  const seen = (await viewing.told()) as Record<string, number>;
  const tookMs = sharedMs() - startMs;
  report({
    ...seen,
    rssMb,
    mostRssMb: memoryOf(server.pid, 'VmHWM'),
    linesPerS: (posts.length * BATCH * 1_000) / tookMs,
    serverCores: (cpuOf(server.pid) - cpuMs[0]) / tookMs,
    viewersCores: (seen.viewersCpuMs ?? Number.NaN) / tookMs,
    loadCores: (ownCpuMs() - cpuMs[1]) / tookMs,
  });
} finally {
  viewing?.end();
  await server.stop();
}

async function load({ post, pid }: BenchServer, startMs: number): Promise<{ posts: Post[]; rssMb: number }> {
  const posts: Post[] = [];
  const answers: Promise<void>[] = [];
  let rssMb = 0;
  for (let sent = 0; sent < (SECONDS * 1_000) / EVERY_MS; sent++) {
    const body = bodyOf(sent * BATCH);
    await delay(Math.max(0, startMs + sent * EVERY_MS - sharedMs()));
    const sentMs = sharedMs();
    const answer = post(`${TASK}/logs`, body, 'application/x-ndjson').then((text) => {
      const { accepted, last_seq: lastSeq } = JSON.parse(text) as { accepted: number; last_seq: number };
      if (accepted !== BATCH) throw new Error(`${accepted} of ${BATCH} lines were taken`);
      posts.push({ startMs: sentMs, lastSeq });
    });
    answers.push(answer);
    if (sent % 50 === 0) rssMb = Math.max(rssMb, memoryOf(pid, 'VmRSS'));
  }
  await Promise.all(answers);
  return { posts, rssMb };
}

/** The bare server sends on what it gets, so it gets what our server would send. */
function bodyOf(first: number): string {
  return Array.from({ length: BATCH }, (_, index) => {
    const message = benchLine(first + index);
    if (who !== 'bare') return JSON.stringify({ message });
    const seq = first + index + 1;
    const line = { id: `bench-${seq}`, seq, task_id: 'bench', timestamp: new Date().toISOString(), level: 'INFO' };
    return JSON.stringify({ ...line, source: 'system', stream: null, type: 'log', message, metadata: null });
  }).join('\n');
}
