import assert from 'node:assert/strict';
import test from 'node:test';
import type { TaskContext } from '../../src/core/plugin.ts';
import { managed, plugin } from './support.ts';

test('a plugin runs as a task: its lines have source plugin, the manager speaks as system, the result is kept', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    plugin('sum', ({ a, b }, { logger }) => {
      logger.info('adding', { a, b });
      return { sum: Number(a) + Number(b) };
    }),
  );
  const task = await done('sum', { a: 1, b: 2 }, { title: 'One and two', tags: ['t'] });
  assert.equal(task.status, 'completed');
  assert.deepEqual(task.result, { sum: 3 });
  assert.deepEqual(task.params, { a: 1, b: 2 });
  assert.deepEqual([task.source, task.kind, task.title, task.runner], ['plugin', 'sum', 'One and two', 'plugin:sum']);
  assert.deepEqual(task.tags, ['t']);
  assert.ok(task.startedAt && task.completedAt && task.metrics.durationSeconds !== null);
  const all = await lines(task.taskId);
  assert.deepEqual(
    all.map(({ source, level, message, metadata }) => [source, level, message, metadata]),
    [
      ['system', 'INFO', 'Task started: sum', null],
      ['plugin', 'INFO', 'adding', { a: 1, b: 2 }],
      ['system', 'INFO', 'Task completed', null],
    ],
  );
});

test('what a plugin throws fails its task, with the reason, the stack and the exit code', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    plugin('bad', () => {
      throw Object.assign(new RangeError('out of reach'), { exitCode: 3 });
    }),
  );
  tasks.register(plugin('odd', () => Promise.reject(null)));
  const bad = await done('bad');
  assert.deepEqual([bad.status, bad.error, bad.exitCode, bad.result], ['failed', 'out of reach', 3, null]);
  const last = (await lines(bad.taskId)).at(-1);
  assert.deepEqual([last?.level, last?.message], ['ERROR', 'Task failed: out of reach']);
  assert.match(JSON.stringify(last?.metadata), /RangeError.*manager\.test/);
  const odd = await done('odd');
  assert.deepEqual([odd.status, odd.error], ['failed', 'null']);
});

test('a result that JSON cannot say is readable, one that is too large is cut and says so', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(plugin('odd', () => ({ big: 1n, list: new Set([1]), at: new Date(0), nothing: undefined })));
  tasks.register(plugin('none', () => undefined));
  tasks.register(plugin('large', () => 'x'.repeat(2_000_000)));
  assert.deepEqual((await done('odd')).result, { big: '1', list: [1], at: '1970-01-01T00:00:00.000Z' });
  assert.equal((await done('none')).result, null);
  const large = await done('large');
  assert.equal(large.status, 'completed');
  assert.equal((large.result as { too_large: boolean }).too_large, true);
  assert.ok((await lines(large.taskId)).some(({ level }) => level === 'WARNING'));
});

test('parameters are checked before anything is stored, every fault is named, defaults are filled in', async (t) => {
  const { tasks, done, trail } = await managed(t);
  const parameters = {
    type: 'object',
    required: ['target'],
    additionalProperties: false,
    properties: {
      target: { type: 'string', minLength: 1 },
      depth: { type: 'integer', minimum: 1, default: 5 },
      mode: { enum: ['fast', 'slow'] },
    },
  };
  tasks.register(plugin('typed', (params) => params, { parameters }));
  assert.deepEqual((await done('typed', { target: 'x' })).result, { target: 'x', depth: 5 });
  const wrong = { depth: 0, mode: 'idle', more: true };
  await assert.rejects(tasks.run('typed', wrong), (error: { code: string; errors: { path: string }[] }) => {
    assert.equal(error.code, 'invalid_params');
    assert.deepEqual(error.errors.map(({ path }) => path).sort(), [
      'params.depth',
      'params.mode',
      'params.more',
      'params.target',
    ]);
    return true;
  });
  assert.equal((await trail.tasks()).total, 1);
  await assert.rejects(tasks.run('nope'), { code: 'unknown_plugin', message: /typed.*"nope"/ });
});

test('a plugin that is not one is refused with every fault, and so is an id that is taken', async (t) => {
  const { tasks } = await managed(t, { idle: true });
  const wrong = { id: 'no spaces', name: '', execute: 5, parameters: { type: 'array' }, timeoutSeconds: -1 } as never;
  assert.throws(
    () => tasks.register(wrong),
    (error: { code: string; errors: { path: string }[] }) => {
      assert.equal(error.code, 'invalid_plugin');
      assert.deepEqual(
        error.errors.map(({ path }) => path),
        ['id', 'name', 'execute', 'parameters', 'timeoutSeconds'],
      );
      return true;
    },
  );
  const schema = { type: 'object', properties: { a: { type: 'nonsense' } } };
  assert.throws(() => tasks.register(plugin('a', () => 1, { parameters: schema })), { code: 'invalid_plugin' });
  tasks.register(plugin('a', () => 1));
  assert.throws(() => tasks.register(plugin('a', () => 1)), { code: 'invalid_plugin', message: /choose another/ });
  assert.throws(() => tasks.register(null as never), { code: 'invalid_plugin' });
});

test('plugins are told with the schema of their parameters', async (t) => {
  const { tasks } = await managed(t, { idle: true });
  tasks.register(plugin('a', () => 1, { name: 'A', version: '1.2.3', description: 'does a', pausable: true }));
  assert.deepEqual(tasks.plugins(), [
    {
      id: 'a',
      name: 'A',
      description: 'does a',
      version: '1.2.3',
      parameters: { type: 'object' },
      restartable: false,
      pausable: true,
      approval: false,
    },
  ]);
});

test('no more tasks run at once than may, and those that wait go by priority, then by age', async (t) => {
  const { tasks, trail } = await managed(t, { concurrency: 2, idle: true });
  const started: string[] = [];
  const release: (() => void)[] = [];
  let most = 0;
  let running = 0;
  tasks.register(
    plugin('wait', async ({ name }) => {
      started.push(String(name));
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => release.push(resolve));
      running -= 1;
    }),
  );
  const ids: string[] = [];
  for (const [name, priority] of [
    ['a', 0],
    ['b', 0],
    ['c', 5],
    ['d', 0],
    ['e', 5],
  ] as const) {
    ids.push((await tasks.run('wait', { name }, { priority })).taskId);
  }
  assert.equal((await trail.tasks({ status: ['queued'] })).total, 5);
  await tasks.start();
  for (let done = 0; done < 5; done++) {
    while (release.length < Math.min(2, 5 - done)) await new Promise((resolve) => setImmediate(resolve));
    release.shift()?.();
  }
  await Promise.all(ids.map((id) => tasks.wait(id)));
  assert.equal(most, 2);
  assert.deepEqual(started, ['c', 'e', 'a', 'b', 'd']);
});

test('a secret parameter reaches the plugin, and is masked in all that is stored', async (t) => {
  const { tasks, done } = await managed(t);
  const token = `ghp_${'a'.repeat(36)}`;
  let seen: unknown;
  tasks.register(
    plugin('secret', (params) => {
      seen = params.token;
    }),
  );
  const task = await done('secret', { token });
  assert.equal(seen, token);
  assert.deepEqual(task.params, { token: '[redacted:github-token]' });
  await assert.rejects(tasks.rerun(task.taskId), { code: 'not_rerunnable', message: /secrets/ });
});

test('what the schema of a plugin calls a secret is stored nowhere, whatever it looks like', async (t) => {
  const { tasks, done, lines } = await managed(t);
  let seen: unknown;
  tasks.register({
    ...plugin('login', (params, { logger }) => {
      seen = params;
      logger.info('signed in with correct horse battery');
    }),
    parameters: {
      type: 'object',
      properties: {
        user: { type: 'string' },
        account: { type: 'object', properties: { password: { type: 'string', format: 'password' } } },
        pins: { type: 'array', items: { type: 'string', writeOnly: true } },
      },
    },
  });
  const params = { user: 'ada', account: { password: 'correct horse battery' }, pins: ['1234', ''] };
  const task = await done('login', params);
  assert.deepEqual(seen, params);
  const hidden = '[redacted:parameter]';
  assert.deepEqual(task.params, { user: 'ada', account: { password: hidden }, pins: [hidden, ''] });
  const printed = (await lines(task.taskId)).map(({ message }) => message);
  assert.ok(
    printed.some((message) => message.startsWith('signed in with [redacted:')),
    printed.join('\n'),
  );
  await assert.rejects(tasks.rerun(task.taskId), { code: 'not_rerunnable' });
});

test('a run can be run again as a new task, an outside task cannot', async (t) => {
  const { tasks, trail, done } = await managed(t);
  tasks.register(plugin('twice', ({ n }) => n));
  const first = await done('twice', { n: 7 }, { title: 'Seven' });
  const again = await tasks.wait((await tasks.rerun(first.taskId, 'ada')).taskId);
  assert.notEqual(again.taskId, first.taskId);
  assert.deepEqual([again.result, again.title, again.userId], [7, 'Seven', 'ada']);
  assert.equal(again.metadata?.rerun_of, first.taskId);
  const outside = await trail.create({});
  await assert.rejects(tasks.rerun(outside.taskId), { code: 'not_rerunnable' });
});

test('cancelling aborts the signal; what the plugin answers after that is dropped', async (t) => {
  const { tasks, when, lines } = await managed(t);
  const reasons: unknown[] = [];
  tasks.register(
    plugin('endless', async (_params, { signal, logger }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      reasons.push(signal.reason);
      logger.info('tidied up');
      await logger.flush();
      return 'too late';
    }),
  );
  const { taskId } = await tasks.run('endless');
  await when(taskId, ({ status }) => status === 'executing');
  const cancelled = await tasks.cancel(taskId);
  assert.equal(cancelled.status, 'cancelled');
  while (reasons.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match(String(reasons[0]), /AbortError: the task is cancelled/);
  await tasks.close();
  const task = await tasks.wait(taskId);
  assert.deepEqual([task.status, task.result], ['cancelled', null]);
  assert.ok((await lines(taskId)).some(({ message }) => message === 'tidied up'));
});

test('a cancelled plugin that does not heed its signal loses its place after a while', async (t) => {
  const { tasks, trail, when, done, lines } = await managed(t, { concurrency: 1, graceMs: 50 });
  let free = (): void => {};
  tasks.register(
    plugin(
      'deaf',
      () =>
        new Promise<void>((resolve) => {
          free = resolve;
        }),
    ),
  );
  tasks.register(plugin('next', () => 'ran'));
  const { taskId } = await tasks.run('deaf');
  await when(taskId, ({ status }) => status === 'executing');
  await tasks.cancel(taskId);
  assert.equal((await done('next')).result, 'ran');
  await trail.parts.lines(taskId).flush();
  const told = (await lines(taskId)).find(({ level }) => level === 'WARNING');
  assert.match(told?.message ?? '', /does not heed its signal/);
  free();
});

test('a plugin that takes too long ends as timed out', async (t) => {
  const { tasks, done } = await managed(t);
  tasks.register(
    plugin(
      'slow',
      (_params, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      { timeoutSeconds: 0.05 },
    ),
  );
  const task = await done('slow');
  assert.deepEqual([task.status, task.error], ['timed_out', 'timed out after 0.05 s']);
});

test('a person is asked, the task waits for the answer, and the answer is a line of the trail', async (t) => {
  const { tasks, when, lines } = await managed(t);
  tasks.register(
    plugin('ask', async (_params, context: TaskContext) => {
      const colour = await context.input('Which colour?', { questionType: 'choice' });
      const size = await context.createSubContext('tailor').input('Which size?');
      return { colour, size };
    }),
  );
  const { taskId } = await tasks.run('ask');
  const waiting = await when(taskId, ({ status }) => status === 'awaiting_input');
  const question = waiting.metadata?.question as { asked_at: string };
  assert.deepEqual(question, { question: 'Which colour?', question_type: 'choice', asked_at: question.asked_at });
  assert.ok(Date.parse(question.asked_at) >= Date.parse(waiting.createdAt));
  await tasks.input(taskId, 'red');
  await when(taskId, ({ metadata }) => JSON.stringify(metadata?.question ?? '').includes('Which size?'));
  await tasks.input(taskId, 'small');
  const task = await tasks.wait(taskId);
  assert.deepEqual(task.result, { colour: 'red', size: 'small' });
  assert.equal(task.metadata?.question, null);
  const all = await lines(taskId);
  assert.deepEqual(
    all.filter(({ type }) => type !== 'log').map(({ type, source, message }) => [type, source, message]),
    [
      ['output', 'plugin', 'Which colour?'],
      ['user_input', 'user', 'red'],
      ['output', 'tailor', 'Which size?'],
      ['user_input', 'user', 'small'],
    ],
  );
  await assert.rejects(tasks.input(taskId, 'too late'), { code: 'invalid_transition' });
});

test('a question ends with its task', async (t) => {
  const { tasks, when } = await managed(t);
  const caught: unknown[] = [];
  tasks.register(
    plugin('ask', async (_params, context: TaskContext) => {
      await context.input('Still there?').catch((error) => caught.push(error));
    }),
  );
  const { taskId } = await tasks.run('ask');
  await when(taskId, ({ status }) => status === 'awaiting_input');
  await tasks.cancel(taskId);
  await tasks.close();
  assert.match(String(caught[0]), /AbortError/);
});

test('a plugin asks for leave: approved it goes on, rejected its task is over', async (t) => {
  const { tasks, when, lines } = await managed(t);
  const went: string[] = [];
  tasks.register(
    plugin('risky', async ({ name }, context: TaskContext) => {
      await context.approval('Delete everything');
      went.push(String(name));
    }),
  );
  const yes = (await tasks.run('risky', { name: 'yes' })).taskId;
  const no = (await tasks.run('risky', { name: 'no' })).taskId;
  for (const taskId of [yes, no]) {
    const task = await when(taskId, ({ status }) => status === 'pending_approval');
    assert.equal(task.metadata?.plan, 'Delete everything');
  }
  await tasks.approve(yes);
  await tasks.reject(no);
  assert.equal((await tasks.wait(yes)).status, 'completed');
  assert.equal((await tasks.wait(no)).status, 'rejected');
  assert.deepEqual(went, ['yes']);
  assert.ok((await lines(yes)).some(({ message, type }) => message === 'Delete everything' && type === 'output'));
});

test('a plugin that needs leave does not start before it has it', async (t) => {
  const { tasks, trail } = await managed(t);
  let runs = 0;
  tasks.register(
    plugin(
      'guarded',
      () => {
        runs += 1;
      },
      { approval: true },
    ),
  );
  const waiting = await tasks.run('guarded', { a: 1 });
  assert.deepEqual([waiting.status, waiting.startedAt], ['pending_approval', null]);
  assert.match(String(waiting.metadata?.plan), /guarded.*\{"a":1\}/);
  await trail.create({ status: 'queued', title: 'an outside task that waits is none of ours' });
  assert.equal(runs, 0);
  await tasks.approve(waiting.taskId);
  assert.equal((await tasks.wait(waiting.taskId)).status, 'completed');
  assert.equal(runs, 1);
  const refused = await tasks.run('guarded');
  assert.equal((await tasks.reject(refused.taskId)).status, 'rejected');
  assert.equal(runs, 1);
});

test('a task that waits can be paused and goes on in the queue; one at work only where its plugin can pause', async (t) => {
  const { tasks, when, trail } = await managed(t, { concurrency: 1 });
  const told: boolean[] = [];
  let steps = 0;
  let finish = false;
  tasks.register(
    plugin(
      'steps',
      async (_params, context: TaskContext) => {
        context.onPause((paused) => told.push(paused));
        while (!finish) {
          await context.checkpoint();
          steps += 1;
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
      { pausable: true },
    ),
  );
  tasks.register(
    plugin('rigid', (_params, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve))),
  );
  const { taskId } = await tasks.run('steps');
  const queued = (await tasks.run('rigid')).taskId;
  await when(taskId, ({ status }) => status === 'executing');
  assert.equal((await tasks.pause(queued)).status, 'paused');
  assert.equal((await tasks.pause(taskId)).status, 'paused');
  while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const before = steps;
  await trail.stats(taskId);
  assert.ok(steps <= before + 1, 'it stands still');
  assert.equal((await tasks.resume(taskId)).status, 'executing');
  finish = true;
  assert.equal((await tasks.wait(taskId)).status, 'completed');
  assert.deepEqual(told, [true, false]);
  assert.equal((await trail.get(queued)).status, 'paused');
  assert.equal((await tasks.resume(queued)).status, 'queued');
  await when(queued, ({ status }) => status === 'executing');
  await assert.rejects(tasks.pause(queued), { code: 'not_pausable' });
  await tasks.cancel(queued);
});

test('figures of a run become the metrics of its task', async (t) => {
  const { tasks, done } = await managed(t);
  tasks.register(
    plugin('costly', (_params, context: TaskContext) => {
      context.metrics({ inputTokens: 10 });
      context.metrics({ costUsd: 0.5 });
    }),
  );
  const { metrics } = await done('costly');
  assert.deepEqual([metrics.inputTokens, metrics.costUsd, metrics.outputTokens], [10, 0.5, null]);
});

test('a deleted task tells its plugin to stop', async (t) => {
  const { tasks, when, trail } = await managed(t);
  const aborted = Promise.withResolvers<unknown>();
  tasks.register(
    plugin('gone', async (_params, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      aborted.resolve(signal.reason);
    }),
  );
  const { taskId } = await tasks.run('gone');
  await when(taskId, ({ status }) => status === 'executing');
  await trail.delete(taskId);
  assert.match(String(await aborted.promise), /was deleted/);
});

test('the same id twice is refused, and the task that has it keeps its parameters', async (t) => {
  const { tasks, when } = await managed(t, { concurrency: 1 });
  const tokens: unknown[] = [];
  let free = (): void => {};
  tasks.register(plugin('busy', () => new Promise<void>((resolve) => (free = resolve))));
  tasks.register(plugin('secret', ({ token }) => tokens.push(token)));
  const busy = await tasks.run('busy');
  await when(busy.taskId, ({ status }) => status === 'executing');
  const [first, second] = [`ghp_${'a'.repeat(36)}`, `ghp_${'b'.repeat(36)}`];
  await tasks.run('secret', { token: first }, { taskId: 'task-x' });
  await assert.rejects(tasks.run('secret', { token: second }, { taskId: 'task-x' }), { code: 'task_exists' });
  free();
  assert.equal((await tasks.wait('task-x')).status, 'completed');
  assert.deepEqual(tokens, [first]);
});

test('a pause just before a question holds the question back', async (t) => {
  const { tasks, when } = await managed(t);
  const paused = Promise.withResolvers<void>();
  tasks.register(
    plugin(
      'asks',
      async (_params, context: TaskContext) => {
        context.onPause((now) => now && paused.resolve());
        await paused.promise;
        await context.approval('go?');
        return context.input('how?');
      },
      { pausable: true },
    ),
  );
  const { taskId } = await tasks.run('asks');
  await when(taskId, ({ status }) => status === 'executing');
  await tasks.pause(taskId);
  await paused.promise;
  assert.equal((await tasks.resume(taskId)).status, 'executing');
  await when(taskId, ({ status }) => status === 'pending_approval');
  await tasks.approve(taskId);
  await when(taskId, ({ status }) => status === 'awaiting_input');
  await tasks.input(taskId, 'gently');
  assert.equal((await tasks.wait(taskId)).result, 'gently');
});

test('an answer that would be masked is refused, because the task would not get it', async (t) => {
  const { tasks, when, lines } = await managed(t);
  tasks.register(plugin('ask', (_params, { input }: TaskContext) => input('token?')));
  const { taskId } = await tasks.run('ask');
  await when(taskId, ({ status }) => status === 'awaiting_input');
  await assert.rejects(tasks.input(taskId, `ghp_${'a'.repeat(36)}`), { code: 'invalid_parameter', message: /secret/ });
  assert.ok((await lines(taskId)).every(({ type }) => type !== 'user_input'));
  await tasks.input(taskId, 'none');
  assert.equal((await tasks.wait(taskId)).result, 'none');
});
