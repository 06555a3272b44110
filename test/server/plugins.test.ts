import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Plugin } from '../../src/core/plugin.ts';
import { served } from '../support/served.ts';

const PARAMETERS = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: { name: { type: 'string' }, times: { type: 'integer', minimum: 1, default: 1 } },
};
const hello: Plugin = {
  id: 'hello',
  name: 'Hello',
  version: '2.0.0',
  parameters: PARAMETERS,
  execute: ({ name, times }, { logger }) => {
    for (let n = 0; n < Number(times); n++) logger.info(`hello ${name}`);
    return { greeted: name };
  },
};
const ask: Plugin = {
  id: 'ask',
  name: 'Ask',
  execute: async (_params, { input }) => ({ answer: await input('Why?', { questionType: 'reason' }) }),
};
const leave: Plugin = { id: 'leave', name: 'Leave', approval: true, execute: () => 'did it' };
const loop: Plugin = {
  id: 'loop',
  name: 'Loop',
  pausable: true,
  execute: async (_params, { signal, checkpoint }) => {
    while (!signal.aborted) {
      await checkpoint();
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
};
const rigid: Plugin = {
  id: 'rigid',
  name: 'Rigid',
  execute: (_params, { signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
};

async function running(t: TestContext) {
  const parts = await served(t, { plugins: [hello, ask, leave, loop, rigid] });
  const { json, tasks, live } = parts;
  const run = async (plugin: string, rest: object = {}) => (await json('POST', '/api/tasks', { plugin, ...rest })).body;
  /** The task as soon as it has this status. */
  const become = async (taskId: string, status: string) => {
    let poke = (): void => {};
    const stop = live.watch(() => poke());
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        poke = resolve;
      });
      const { body } = await json('GET', `/api/tasks/${taskId}`);
      if (body.status === status) {
        stop();
        return body;
      }
      await changed;
    }
  };
  const act = (taskId: string, action: string, body?: object) => json('POST', `/api/tasks/${taskId}/${action}`, body);
  return { ...parts, tasks, run, become, act };
}

test('plugins are listed with the schema of their parameters', async (t) => {
  const { json } = await running(t);
  const { status, body } = await json('GET', '/api/plugins');
  assert.equal(status, 200);
  assert.deepEqual(body.plugins[0], {
    id: 'hello',
    name: 'Hello',
    description: null,
    version: '2.0.0',
    parameters: PARAMETERS,
    restartable: false,
    pausable: false,
    approval: false,
  });
  assert.equal(body.plugins.length, 5);
  assert.deepEqual((await (await served(t)).json('GET', '/api/plugins')).body, { plugins: [] });
});

test('a task with a plugin is queued, runs, and its result is read like any other', async (t) => {
  const { json, run, become } = await running(t);
  const made = await run('hello', { params: { name: 'Ada', times: 2 }, title: 'Greet', tags: ['x'], source: 'api' });
  assert.equal(made.status, 'queued');
  assert.deepEqual([made.runner, made.title, made.source], ['plugin:hello', 'Greet', 'api']);
  const task = await become(made.task_id, 'completed');
  assert.deepEqual(task.result, { greeted: 'Ada' });
  const { body } = await json('GET', `/api/tasks/${made.task_id}/logs?source=plugin`);
  assert.deepEqual(
    body.logs.map(({ message }: { message: string }) => message),
    ['hello Ada', 'hello Ada'],
  );
  const status = await json('GET', `/api/tasks/${made.task_id}/status`);
  assert.equal(status.body.metadata.queue, 'plugins');
});

test('wrong parameters are refused before anything is stored, with every fault named', async (t) => {
  const { json } = await running(t);
  const { status, body } = await json('POST', '/api/tasks', { plugin: 'hello', params: { times: 0, more: 1 } });
  assert.deepEqual([status, body.code], [400, 'invalid_params']);
  assert.deepEqual(body.errors.map(({ path }: { path: string }) => path).sort(), [
    'params.more',
    'params.name',
    'params.times',
  ]);
  const told = await json('POST', '/api/tasks', { plugin: 'hello', params: { name: 'x' }, status: 'completed' });
  assert.deepEqual([told.status, told.body.code], [400, 'invalid_task']);
  assert.equal((await json('GET', '/api/tasks')).body.total, 0);
});

test('a question is answered by the API, with who said it', async (t) => {
  const { json, run, become, act } = await running(t);
  const { task_id: id } = await run('ask');
  const waiting = await become(id, 'awaiting_input');
  assert.equal(waiting.metadata.question.question, 'Why?');
  assert.equal((await act(id, 'input', { message: 'because' })).status, 200);
  assert.deepEqual((await become(id, 'completed')).result, { answer: 'because' });
  const { body } = await json('GET', `/api/tasks/${id}/logs?type=user_input`);
  assert.deepEqual(body.logs[0].metadata, { question_type: 'reason' });
  const late = await act(id, 'input', { message: 'more' });
  assert.deepEqual([late.status, late.body.code], [409, 'invalid_transition']);
  assert.equal((await json('GET', `/api/tasks/${id}/logs?type=user_input`)).body.total, 1);
});

test('a task that runs here takes input only when it asked, and then nothing is stored', async (t) => {
  const { json, run, become, act } = await running(t);
  const { task_id: id } = await run('rigid');
  await become(id, 'executing');
  assert.equal((await act(id, 'input', { message: 'hello?' })).status, 409);
  assert.equal((await json('GET', `/api/tasks/${id}/logs?type=user_input`)).body.total, 0);
  await act(id, 'cancel');
});

test('leave is given and refused by the API', async (t) => {
  const { run, become, act } = await running(t);
  const yes = await run('leave');
  const no = await run('leave');
  assert.equal(yes.status, 'pending_approval');
  assert.equal((await act(yes.task_id, 'approve')).status, 200);
  assert.equal((await become(yes.task_id, 'completed')).result, 'did it');
  assert.equal((await act(no.task_id, 'reject')).body.status, 'rejected');
  assert.equal((await act(no.task_id, 'approve')).status, 409);
});

test('what can pause is paused and goes on; what cannot says so', async (t) => {
  const { run, become, act } = await running(t);
  const { task_id: id } = await run('loop');
  await become(id, 'executing');
  assert.equal((await act(id, 'pause')).body.status, 'paused');
  assert.equal((await act(id, 'resume')).body.status, 'executing');
  assert.equal((await act(id, 'cancel')).body.status, 'cancelled');
  assert.equal((await act(id, 'resume')).status, 409, 'what ran here is run again by rerun');
  const stiff = (await run('rigid')).task_id;
  await become(stiff, 'executing');
  const refused = await act(stiff, 'pause');
  assert.deepEqual([refused.status, refused.body.code], [409, 'not_pausable']);
  await act(stiff, 'cancel');
});

test('a run is run again as a task of its own; what others report is not', async (t) => {
  const { json, run, become, act } = await running(t);
  const first = await run('hello', { params: { name: 'Ada' } });
  await become(first.task_id, 'completed');
  const again = await act(first.task_id, 'rerun');
  assert.equal(again.status, 200);
  assert.equal(again.body.metadata.rerun_of, first.task_id);
  assert.deepEqual((await become(again.body.task_id, 'completed')).result, { greeted: 'Ada' });
  const outside = (await json('POST', '/api/tasks', {})).body.task_id;
  const refused = await act(outside, 'rerun');
  assert.deepEqual([refused.status, refused.body.code], [409, 'not_rerunnable']);
});

test('agents are listed by the name that a task asks for', async (t) => {
  const { json } = await served(t, { plugins: [hello], agents: [{ ...ask, id: 'default' }, leave] });
  const { status, body } = await json('GET', '/api/agents');
  assert.equal(status, 200);
  assert.deepEqual(body, {
    agents: [
      { id: 'default', name: 'Ask' },
      { id: 'leave', name: 'Leave' },
    ],
  });
});

test('nobody can make the server believe that it runs an outside task', async (t) => {
  const { json } = await running(t);
  const { status, body } = await json('POST', '/api/tasks', { runner: 'plugin:hello', status: 'queued' });
  assert.deepEqual([status, body.code], [400, 'invalid_task']);
});
