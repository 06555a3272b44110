/*
 * Events of a Redis stream: from a backlog to committed (`consume`), beside a `bare` loop of XREADGROUP and XACK over the same entries;
 * and the time from XADD to the commit at a `steady` 5,000 events a second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Intake } from '../../src/core/ports.ts';
import { systemClock } from '../../src/core/time.ts';
import { EventConsumer } from '../../src/inlet/redis/consumer.ts';
import { openTrail } from '../../src/trail/open.ts';
import { benchLine } from '../lines.ts';
import { quantile } from '../stats.ts';
import { DATA_DIR, report } from '../support/server.ts';

const EVENTS = Number(process.env.BENCH_EVENTS ?? 200_000);
const TASKS = Number(process.env.BENCH_TASKS ?? 1_000);
const STEADY_PER_SECOND = 5_000;
const STEADY_MS = Number(process.env.BENCH_STEADY_MS ?? 10_000);
const TICK_MS = 10;
const STREAM = 'task_events';
const GROUP = 'task-logger';

const [way] = process.argv.slice(2);
const socket = join(DATA_DIR, 'r.sock');
const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no']);
for (let printed = ''; !/ready to accept/i.test(printed); ) printed += String((await once(server.stdout, 'data'))[0]);
const redis = new Redis(socket);
try {
  if (way === 'steady') report(await steady());
  else report({ eventsPerS: way === 'bare' ? await readBare() : await consume() });
} finally {
  redis.disconnect();
  server.kill('SIGKILL');
}

async function backlog(): Promise<void> {
  await redis.flushall();
  await redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  for (let sent = 0; sent < EVENTS; ) {
    const pipeline = redis.pipeline();
    for (const end = Math.min(sent + 5_000, EVENTS); sent < end; sent++) pipeline.xadd(...entry(sent, benchLine(sent)));
    await pipeline.exec();
  }
}

function entry(n: number, content: string): [string, ...string[]] {
  const data = JSON.stringify({ content, stream: 'stdout', source: 'agent' });
  const at = String(Date.now());
  return [STREAM, '*', 'type', 'task:output', 'timestamp', at, 'task_id', `task-${n % TASKS}`, 'data', data];
}

async function readBare(): Promise<number> {
  await backlog();
  const start = performance.now();
  for (;;) {
    const reply = await redis.xreadgroup('GROUP', GROUP, 'bare', 'COUNT', 1_000, 'STREAMS', STREAM, '>');
    const [[, entries] = []] = (reply ?? []) as [string, [string, string[]][]][];
    if (!entries) break;
    await redis.xack(STREAM, GROUP, ...entries.map(([id]) => id));
  }
  return (EVENTS / (performance.now() - start)) * 1_000;
}

async function consume(): Promise<number> {
  await backlog();
  const { promise, resolve } = Promise.withResolvers<number>();
  let left = EVENTS;
  let startMs = 0;
  const { start, end } = await consuming((steps) => {
    left -= steps.length;
    if (left === 0) resolve((EVENTS / (performance.now() - startMs)) * 1_000);
  });
  startMs = performance.now();
  start();
  const rate = await promise;
  await end();
  return rate;
}

async function steady(): Promise<Record<string, number>> {
  await redis.flushall();
  const lags: number[] = [];
  const perTick = (STEADY_PER_SECOND * TICK_MS) / 1_000;
  const { start, end } = await consuming((steps) => {
    const now = performance.now();
    for (const { entries } of steps) lags.push(now - Number(entries[0]?.message.split(' ')[0]));
  });
  start();
  const startMs = performance.now();
  let sent = 0;
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const due = Math.min(performance.now() - startMs, STEADY_MS) * (perTick / TICK_MS);
      const pipeline = redis.pipeline();
      for (; sent < due; sent++) pipeline.xadd(...entry(sent, `${performance.now()} ${benchLine(sent)}`.slice(0, 104)));
      void pipeline.exec();
      if (performance.now() - startMs < STEADY_MS) return;
      clearInterval(timer);
      done();
    }, TICK_MS);
  });
  while (lags.length < sent) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  await end();
  // The first second finds code that is not compiled yet.
  const warm = lags.slice(STEADY_PER_SECOND);
  return { lagMs: quantile(warm, 0.5), lagP99Ms: quantile(warm, 0.99), lagMostMs: quantile(warm, 1) };
}

type Steps = Parameters<Intake['applyEvents']>[0]['steps'];

/** A consumer as a server has it, over a trail of its own whose threads have started; told of every commit. */
async function consuming(onCommit: (steps: Steps) => void): Promise<{ start(): void; end(): Promise<void> }> {
  const dataDir = join(DATA_DIR, 'data');
  const trail = await openTrail({ dataDir });
  const { store, intake } = trail.parts;
  await store.eventPlace(STREAM);
  const [read, command] = [new Redis(socket), new Redis(socket)];
  const consumer = new EventConsumer({
    store,
    intake: {
      async applyEvents(batch) {
        const applied = await intake.applyEvents(batch);
        onCommit(batch.steps);
        return applied;
      },
      check: () => intake.check(),
      setEventPlace: (...args) => intake.setEventPlace(...args),
    },
    ...{ redis: { read, command }, stream: STREAM, group: GROUP, consumer: 'bench', trim: false, clock: systemClock },
    log: { info: () => {}, warn: (message) => process.stderr.write(`${message}\n`) },
  });
  return {
    start: () => consumer.start(),
    async end() {
      await consumer.close();
      for (const each of [read, command]) each.disconnect();
      await trail.close();
    },
  };
}
