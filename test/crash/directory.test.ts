import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compareDirectory } from '../../src/outlet/directory/compare.ts';
import { openTaskDirectory } from '../../src/outlet/directory/writer.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { call } from '../support/api.ts';
import { missing } from '../support/programs.ts';
import { random } from '../support/random.ts';
import { scratch } from '../support/scratch.ts';
import { startServer } from '../support/server.ts';

const WRITER = fileURLToPath(new URL('../fixtures/programs/document-writer.ts', import.meta.url));
const CYCLES = 6;

test('a server killed while it writes has directories equal to its store after the next start', async (t) => {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}; repeat with CRASH_SEED=${seed}`);
  const next = random(seed);
  const dataDir = await scratch(t);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const server = await startServer(t, { dataDir });
    const stopping = new AbortController();
    const work = [0, 1, 2].map((n) => produce(server.url, `task-${cycle}-${n}`, stopping.signal));
    await new Promise((resolve) => setTimeout(resolve, 50 + next() * 600));
    await server.kill();
    stopping.abort();
    await Promise.all(work);
  }
  const last = await startServer(t, { dataDir });
  // A stop writes what is committed; the start has compared what was there before.
  await untilCompared(dataDir);
  await last.stop();
  const store = SqliteReader.open(dataDir);
  t.after(() => store.close());
  const { tasks } = await store.tasks({ limit: 1_000 });
  assert.ok(tasks.some(({ log }) => log.total > 0));
  for (const { taskId } of tasks) {
    assert.deepEqual(await compareDirectory(join(dataDir, 'tasks'), store, { taskId }), [], taskId);
  }
});

/** Wait until every task has a directory with nothing wrong in it; the runner's time limit ends a wait in vain. */
async function untilCompared(dataDir: string): Promise<void> {
  const store = SqliteReader.open(dataDir);
  try {
    const { tasks } = await store.tasks({ limit: 1_000 });
    for (const { taskId } of tasks) {
      while ((await compareDirectory(join(dataDir, 'tasks'), store, { taskId })).length > 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  } finally {
    await store.close();
  }
}

async function produce(url: string, taskId: string, signal: AbortSignal): Promise<void> {
  try {
    await call({ url }, '/api/tasks', { task_id: taskId, input: { message: 'x' } });
    for (let n = 0; !signal.aborted; n++) {
      const lines = Array.from({ length: 50 }, (_, i) => ({
        message: `${n * 50 + i}`,
        type: i % 10 === 0 ? 'webhook' : 'output',
      }));
      await call({ url }, `/api/tasks/${taskId}/logs`, lines);
      if (n === 20) await call({ url }, `/api/tasks/${taskId}/complete`, { result: n });
    }
  } catch {
    // Killed in between.
  }
}

for (const syscall of ['openat', 'write', 'fsync', 'rename', 'close']) {
  const name = `a reader finds whole documents while their writer is killed at its next ${syscall}`;
  test(name, { skip: missing('strace') }, async (t) => {
    const dir = await scratch(t);
    let reads = 0;
    for (const when of [1, 2, 3, 5]) {
      const { killed, ended } = await killedAt(t, dir, `inject=${syscall}:signal=KILL:when=${when}`);
      let over = false;
      void ended.then(() => {
        over = true;
      });
      while (!over) {
        const { padding } = JSON.parse(await readFile(join(dir, 'task-1', '01-input.json'), 'utf8'));
        assert.equal(padding.length, 100_000);
        reads += 1;
      }
      if (!(await killed)) return t.skip('strace may not trace here');
    }
    t.diagnostic(`${reads} reads`);
    assert.ok(reads > 10, `${reads} reads`);
    const lines = await readFile(join(dir, 'task-1', '03-agent-output.jsonl'), 'utf8');
    assert.ok(
      lines
        .split('\n')
        .slice(0, -1)
        .every((line) => JSON.parse(line).type === 'output'),
    );
    // Another writer is not held up by what the dead one left.
    const files = await openTaskDirectory(dir, 'task-1');
    await files.writeMetadata({ status: 'running' });
    await files.close();
  });
}

/**
 * A program that replaces documents for ever, and a tracer that kills it at a system call. `ended`: one of them has; `killed`:
 * whether the program was, and not the tracer refused.
 */
async function killedAt(t: TestContext, dir: string, inject: string) {
  const child = spawn(process.execPath, [WRITER, dir, 'task-1'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const tracer = spawn('strace', ['-f', '-qq', '-o', '/dev/null', '-e', inject, '-p', String(child.pid)], {
    stdio: 'ignore',
  });
  t.after(() => tracer.kill('SIGKILL'));
  const closed = once(child, 'close').then(() => child.signalCode === 'SIGKILL');
  const gaveUp = once(tracer, 'close').then(() => new Promise<false>((resolve) => setTimeout(resolve, 2_000, false)));
  return { killed: Promise.race([closed, gaveUp]), ended: Promise.race([once(child, 'close'), once(tracer, 'close')]) };
}
