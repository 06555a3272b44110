import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { agentOf } from '../../src/agents/index.ts';
import { scratch } from '../support/scratch.ts';
import { isAlive, pidIn, plays, recording, shell, until, withAgents } from './agents.ts';

const WORKER = fileURLToPath(new URL('../fixtures/programs/agent-worker.ts', import.meta.url));
const STATES = ['planning', 'waiting', 'approved', 'executing'] as const;
type Ids = Readonly<Record<(typeof STATES)[number], string>>;
const agents = { default: shell('cat'), brain: shell('cat >/dev/null; echo the plan') };

/** A data directory whose server was killed while its tasks were planning, waiting, approved and executing. */
async function killed(t: TestContext): Promise<{ dataDir: string; ids: Ids }> {
  const dataDir = await scratch(t);
  const child = spawn(process.execPath, [WORKER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ids = JSON.parse(String((await printed.next()).value)) as Ids;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  return { dataDir, ids };
}

test('after kill -9 a plan still waits, what was approved is executed, planning begins again, what was executing has failed', async (t) => {
  const { dataDir, ids } = await killed(t);
  const parts = await withAgents(t, agents, { dataDir, idle: true });
  const { tasks, trail, lines, when } = parts;
  const was = await Promise.all(STATES.map(async (state) => (await trail.get(ids[state])).status));
  assert.deepEqual(was, ['discovering', 'pending_approval', 'approved', 'executing']);
  const orphans = await Promise.all([ids.planning, ids.executing].map(async (id) => pidIn(await lines(id))));
  assert.ok(orphans.every(isAlive), 'what they ran outlived the server');
  await tasks.start();
  assert.ok(!orphans.some(isAlive), 'and was ended at its next start');

  const failed = await tasks.wait(ids.executing);
  assert.deepEqual([failed.status, failed.error], ['failed', 'server stopped']);
  const approved = await tasks.wait(ids.approved);
  assert.deepEqual([approved.status, approved.metadata?.plan], ['completed', 'the plan']);
  const replanned = await when(ids.planning, ({ status }) => status === 'pending_approval');
  assert.match(String(replanned.metadata?.plan), /mend it/, 'by its own planner, which says what it is asked');
  const before = await lines(ids.waiting);
  assert.deepEqual(before.at(-1)?.metadata, { plan: true }, 'nothing was said of it at the restart');
  await tasks.approve(ids.waiting);
  const task = await tasks.wait(ids.waiting);
  assert.equal(task.status, 'completed');
  const asked = (await lines(ids.waiting)).slice(before.length).map(({ message }) => message);
  for (const part of ['mend it', 'the plan']) assert.ok(asked.includes(part), part);
});

test('a server that closes leaves its plans waiting, and lets planning begin again', async (t) => {
  const dataDir = await scratch(t);
  const slow = { ...agents, slow: shell('sleep 600') };
  const first = await withAgents(t, slow, { dataDir });
  const waiting = await first.planned('x', { planner: 'brain' });
  const draft = { input: { message: 'x' } };
  const { taskId } = await first.tasks.runAgent('default', draft, { approval: true, planner: 'slow' });
  await first.when(taskId, ({ status }) => status === 'discovering');
  await first.tasks.close();
  assert.equal((await first.trail.get(taskId)).status, 'queued');
  assert.equal((await first.trail.get(waiting.taskId)).status, 'pending_approval');
  await first.trail.close();
  const second = await withAgents(t, { ...agents, slow: agents.brain }, { dataDir });
  const task = await second.when(taskId, ({ status }) => status === 'pending_approval');
  assert.equal(task.metadata?.plan, 'the plan');
});

test('an agent that prints 200 MB loses no line, in both steps', { timeout: 120_000 }, async (t) => {
  const flood = { kind: agentOf('generic'), command: plays('none', '0', 'flood') };
  const parts = await withAgents(t, { default: flood });
  const planned = await parts.planned('x');
  assert.deepEqual([planned.status, planned.log.lost], ['pending_approval', 0]);
  assert.ok(planned.log.total > 2_000);
  await parts.tasks.approve(planned.taskId);
  const task = await parts.tasks.wait(planned.taskId);
  assert.deepEqual([task.status, task.log.lost], ['completed', 0]);
  assert.ok(task.log.total > 4_000);
});

test('an agent that hangs is ended at the limit of its step, also when it is deaf', async (t) => {
  for (const behaviour of ['hang', 'deaf']) {
    const command = plays('none', '0', behaviour);
    const parts = await withAgents(t, {
      default: { command, timeoutSeconds: 0.9, plan: { command, timeoutSeconds: 0.6 } },
    });
    const planned = await parts.planned('x');
    assert.deepEqual([planned.status, planned.error], ['timed_out', 'timed out after 0.6 s']);
    const executed = await parts.run('x');
    assert.deepEqual([executed.status, executed.error], ['timed_out', 'timed out after 0.9 s']);
    for (const { taskId } of [planned, executed]) {
      const pid = pidIn(await parts.lines(taskId));
      assert.ok(pid > 0);
      await until(() => !isAlive(pid));
    }
  }
});

test('figures and statuses of a recording are the same however its bytes come, in either step', async (t) => {
  const seen: unknown[] = [];
  for (const size of [1, 7, 1_000, 1_000_000]) {
    const command = plays(recording('success.jsonl'), '0', `cut=${size}`);
    const parts = await withAgents(t, { default: { command } });
    const planned = await parts.planned('x');
    assert.equal(planned.status, 'pending_approval', planned.error ?? '');
    const all = (await parts.lines(planned.taskId)).filter(({ source }) => source === 'claude');
    const { durationSeconds, ...figures } = planned.metrics;
    assert.ok(Number(durationSeconds) > 0);
    const told = all
      .filter(({ stream }) => stream !== 'stderr')
      .map(({ type, level, message, metadata }) => {
        const { duration_ms: _, ...rest } = metadata ?? {};
        return [type, level, message, rest];
      });
    const others = all.filter(({ stream }) => stream === 'stderr').map(({ message }) => message);
    seen.push({ figures, told, others, plan: planned.metadata?.plan });
  }
  const [first, ...rest] = seen;
  for (const other of rest) assert.deepEqual(other, first);
  const { figures, plan, others } = first as { figures: object; plan: string; others: string[] };
  assert.equal(plan, 'Fixed: payment.js converts the amount to a number.\n\nTests passed: 5/5.');
  assert.deepEqual(figures, {
    ...{ costUsd: 0.0855475, inputTokens: 40, outputTokens: 409 },
    ...{ cacheReadTokens: 28_370, cacheCreationTokens: 9_750, numTurns: 4 },
  });
  assert.ok(others.includes('ünïcode wärnings 🦊'), 'the other stream too');
});
