import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { redisConnections } from '../../../src/cli/redis.ts';
import { RedisMirror } from '../../../src/outlet/redis/mirror.ts';
import { random } from '../../support/random.ts';
import { noRedis } from '../../support/redis.ts';
import { scratch } from '../../support/scratch.ts';
import { type Mirrored, mirrored, numbered } from './support.ts';

const MIRRORER = fileURLToPath(new URL('../../fixtures/programs/mirrorer.ts', import.meta.url));
const TASKS = ['task-1', 'task-2', 'task-3'];
const CYCLES = 4;

describe('the Redis lists of tasks', { skip: noRedis }, () => {
  test('are exact after kill -9 of their writer, between a write and its place and at any moment', async (t) => {
    const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
    t.diagnostic(`seed ${seed}; repeat with CRASH_SEED=${seed}`);
    const next = random(seed);
    const dataDir = await scratch(t);
    const held = await mirrored(t, { dataDir });
    for (const taskId of TASKS) await held.trail.create({ taskId });
    assert.equal(await (await run(t, [dataDir, held.there.url, 'once'])).ended, 0);
    const before = await lengths(held);
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      assert.equal(await (await run(t, [dataDir, held.there.url, 'place'])).ended, 'SIGKILL');
      const writer = await run(t, [dataDir, held.there.url, 'on']);
      await delay(next() * 400);
      writer.kill();
      await writer.ended;
    }
    const last = await held.mirror({ max: 2_000 });
    await last.settled();
    const after = await lengths(held);
    for (const [index, taskId] of TASKS.entries()) {
      const lastSeq = after[index] ?? 0;
      assert.ok(lastSeq > (before[index] ?? 0));
      assert.deepEqual(await held.messages(taskId), numbered(Math.max(1, lastSeq - 1_999), lastSeq), taskId);
    }
  });

  test('are exact after kill -9 of Redis under load, which intake does not notice', async (t) => {
    const held = await mirrored(t);
    const { trail, there, append, messages } = held;
    const running = await held.mirror();
    for (const taskId of TASKS) await trail.create({ taskId });
    let lines = 0;
    const load = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        for (const taskId of TASKS) await append(taskId, ...numbered(lines + 1, lines + 50));
        lines += 50;
      }
    };
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const loading = load(60);
      await there.kill();
      await loading;
      // Redis is gone, and lines are taken in.
      await load(10);
      await Promise.all([there.start(), load(30)]);
    }
    await running.settled();
    for (const taskId of TASKS) assert.deepEqual(await messages(taskId), numbered(1, lines));
  });

  test('come back when Redis comes back empty, those of ended tasks too', async (t) => {
    const { trail, there, append, messages, mirror } = await mirrored(t);
    const running = await mirror();
    for (const taskId of TASKS) {
      await trail.create({ taskId });
      await append(taskId, ...numbered(1, 10));
      await trail.complete(taskId);
    }
    await running.settled();
    await there.redis.flushall();
    await there.kill();
    await there.start();
    while ((await there.redis.keys('tasks:*:logs')).length < TASKS.length) await delay(10);
    for (const taskId of TASKS) assert.deepEqual(await messages(taskId), numbered(1, 10));
  });

  test('wait for a Redis that is away, with one warning, hold up no stop, and are written by the next start', async (t) => {
    const { trail, there, append, messages, mirror } = await mirrored(t);
    await trail.create({ taskId: 'task-1' });
    await (await mirror()).close();
    await there.kill();
    const warnings: string[] = [];
    const log = { warn: (message: string) => void warnings.push(message) };
    const connections = await redisConnections(there.url, log.warn);
    t.after(() => connections.close());
    const redis = connections.open('mirror');
    const waiting = new RedisMirror({ ...trail.parts, redis, max: 1_000, ttlSeconds: 60, log });
    waiting.start();
    for (let n = 0; n < 100; n++) await append('task-1', `line ${n + 1}`);
    await new Promise<void>((resolve) => {
      let retries = 0;
      redis.on('reconnecting', () => ++retries === 5 && resolve());
    });
    await waiting.close();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /Redis cannot be reached/);
    assert.deepEqual(waiting.stats(), { lines: 0, batches: 0, failures: 0 });
    await there.start();
    await (await mirror()).settled();
    assert.deepEqual(await messages('task-1'), numbered(1, 100));
  });

  test('wait for a Redis that refuses to write, with one warning', async (t) => {
    const { trail, there, append, messages, mirror, warnings } = await mirrored(t);
    const running = await mirror();
    await trail.create({ taskId: 'task-1' });
    await there.redis.config('SET', 'maxmemory', '1');
    await append('task-1', 'one');
    while (running.stats().failures < 2) await delay(50);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /OOM.*tried again/);
    await there.redis.config('SET', 'maxmemory', '0');
    await running.settled();
    assert.deepEqual(await messages('task-1'), ['one']);
  });

  test('take a task of 100,000 lines in few writes', async (t) => {
    const { trail, append, messages, mirror } = await mirrored(t);
    const running = await mirror();
    await trail.create({ taskId: 'task-1' });
    for (let n = 0; n < 100; n++) await append('task-1', ...numbered(n * 1_000 + 1, n * 1_000 + 1_000));
    await running.settled();
    assert.deepEqual(await messages('task-1'), numbered(1, 100_000));
    const { lines, batches } = running.stats();
    t.diagnostic(`${batches} writes`);
    assert.equal(lines, 100_000);
    assert.ok(batches >= 20 && batches <= 110, `${batches} writes`);
  });
});

async function lengths({ trail }: Mirrored): Promise<readonly number[]> {
  return Promise.all(TASKS.map(async (taskId) => (await trail.get(taskId)).log.lastSeq));
}

/** A process that appends and mirrors, when it is up. */
async function run(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [MIRRORER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const kill = (): void => void child.kill('SIGKILL');
  t.after(async () => {
    kill();
    await ended;
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  return { kill, ended };
}
