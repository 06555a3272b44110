import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Trail } from '../../src/core/trail.ts';
import { demoPlugin } from '../../src/plugins/demo.ts';
import { managed } from '../task/support.ts';
import { seenLine } from './support.ts';

test('the demo shows every level, several sources, tool lines and progress up to 100', async (t) => {
  const { done, lines } = await managed(t, { plugins: [demoPlugin] });
  const task = await done('demo', { steps: 8, delay_ms: 0 });
  assert.equal(task.status, 'completed');
  assert.deepEqual(task.result, { steps: 8, stopped: false });
  const all = await lines(task.taskId);
  assert.deepEqual(new Set(all.map(({ level }) => level)), new Set(['DEBUG', 'INFO', 'WARNING', 'ERROR']));
  assert.deepEqual(
    new Set(all.map(({ source }) => source)),
    new Set(['system', 'plugin', 'git', 'database', 'superset_api', 'tool']),
  );
  assert.ok(all.some(({ type }) => type === 'tool_call') && all.some(({ type }) => type === 'tool_result'));
  const progress = all.filter(({ type }) => type === 'progress').map(({ metadata }) => metadata?.progress);
  assert.deepEqual(progress, [12.5, 25, 37.5, 50, 62.5, 75, 87.5, 100]);
});

test('the demo takes its default steps, and refuses parameters it does not know', async (t) => {
  const { tasks, done } = await managed(t, { plugins: [demoPlugin] });
  assert.deepEqual((await done('demo', { delay_ms: 0 })).result, { steps: 20, stopped: false });
  const wrong = { steps: 0, delay_ms: 9000, speed: 1 };
  await assert.rejects(tasks.run('demo', wrong), (error: { code: string; errors: { path: string }[] }) => {
    assert.equal(error.code, 'invalid_params');
    assert.deepEqual(error.errors.map(({ path }) => path).sort(), ['params.delay_ms', 'params.speed', 'params.steps']);
    return true;
  });
});

test('the demo fails when it is told to', async (t) => {
  const { done } = await managed(t, { plugins: [demoPlugin] });
  const task = await done('demo', { steps: 4, delay_ms: 0, fail: true });
  assert.deepEqual([task.status, task.error], ['failed', 'step 3 failed, as it was told to']);
});

test('the demo asks in its middle, and the answer decides', async (t) => {
  const { tasks, when } = await managed(t, { plugins: [demoPlugin] });
  for (const [answer, result] of [
    ['yes', { steps: 4, stopped: false }],
    ['no', { steps: 2, stopped: true }],
  ] as const) {
    const { taskId } = await tasks.run('demo', { steps: 4, delay_ms: 0, ask: true });
    await when(taskId, ({ status }) => status === 'awaiting_input');
    await tasks.input(taskId, answer);
    assert.deepEqual((await tasks.wait(taskId)).result, result);
  }
});

test('the demo waits while it is paused, and ends when it is cancelled', async (t) => {
  const { tasks, trail, when } = await managed(t, { plugins: [demoPlugin] });
  const { taskId } = await tasks.run('demo', { steps: 1000, delay_ms: 20 });
  await seenLine(trail, taskId, ({ type }) => type === 'progress');
  await tasks.pause(taskId);
  await tasks.resume(taskId);
  await when(taskId, ({ status }) => status === 'executing');
  await tasks.cancel(taskId);
  const task = await tasks.wait(taskId);
  assert.equal(task.status, 'cancelled');
  assert.ok(!(await reached(trail, taskId)));
});

async function reached(trail: Trail, taskId: string): Promise<boolean> {
  const { logs } = await trail.logs(taskId, { limit: -1, types: ['progress'] });
  return logs.some(({ metadata }) => metadata?.progress === 100);
}
