import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type FakeAgent, isAlive, pidIn, plays, recording, shell, until, withAgents } from './agents.ts';

/** A manager with one agent, `default`, that plays a recording. */
const agent = (t: TestContext, given: FakeAgent = {}) => withAgents(t, { default: given });

test('an agent runs with its prompt on standard input; its turns, tools, model and cost are understood', async (t) => {
  const { run, lines } = await agent(t);
  const task = await run('Read the notes and say what they are about');
  assert.equal(task.status, 'completed', task.error ?? '');
  assert.deepEqual([task.runner, task.assignedAgent, task.kind], ['agent:default', 'default', 'agent']);
  assert.equal(task.exitCode, 0);
  assert.equal(task.title, 'Read the notes and say what they are about');
  assert.ok(task.model && task.metadata?.session_id);
  assert.ok((task.metrics.costUsd ?? 0) > 0 && task.metrics.numTurns === 4);
  const all = await lines(task.taskId);
  assert.deepEqual(
    all.slice(0, 2).map(({ type, source, message }) => [type, source, message.replace(/\d+/, 'N')]),
    [
      ['output', 'system', '[SYSTEM] Task started'],
      ['output', 'system', 'Claude Code CLI process started, PID: N'],
    ],
  );
  const asked = all.find(({ stream }) => stream === 'stderr');
  assert.equal(asked?.message, 'asked: Read the notes and say what they are about');
  const types = new Set(all.map(({ type }) => type));
  for (const type of ['thinking', 'tool_call', 'tool_result', 'output', 'result'] as const)
    assert.ok(types.has(type), type);
});

test('a run that its agent gave up is a failure with the reason and the exit code', async (t) => {
  const { run } = await agent(t, { command: plays(recording('max-turns.jsonl'), '1') });
  const task = await run('too much');
  assert.deepEqual([task.status, task.exitCode], ['failed', 1]);
  assert.match(task.error ?? '', /turns/);
});

test('an exit without a result is no success, whatever its code', async (t) => {
  const { run } = await agent(t, { command: plays('none', '0') });
  const task = await run('hello');
  assert.equal(task.status, 'failed');
  assert.match(task.error ?? '', /no result/);
});

test('a program that is not there fails the task and says so', async (t) => {
  const { run } = await agent(t, { command: ['/nowhere/agent'] });
  const task = await run('hello');
  assert.deepEqual([task.status, task.exitCode], ['failed', 127]);
  assert.match(task.error ?? '', /could not be started/);
});

test('an agent that dies by a signal, or prints bytes that are no text, ends with the right status', async (t) => {
  const killed = await agent(t, { command: plays('none', '0', 'signal') });
  const task = await killed.run('hello');
  assert.deepEqual([task.status, task.exitCode], ['failed', 137]);
  const odd = await agent(t, { command: plays(recording('success.jsonl'), '0', 'bytes') });
  assert.equal((await odd.run('hello')).status, 'completed');
});

test('one that hangs is ended at its time limit, also when it does not heed the first signal', async (t) => {
  for (const behaviour of ['hang', 'deaf']) {
    const { run, lines } = await agent(t, { command: plays('none', '0', behaviour), timeoutSeconds: 0.7 });
    const task = await run('hello');
    assert.deepEqual([task.status, task.error], ['timed_out', 'timed out after 0.7 s']);
    const all = await lines(task.taskId);
    await until(() => !isAlive(pidIn(all)));
  }
});

test('cancelling ends its process; what it started is ended with it', async (t) => {
  const { tasks, lines, when, trail } = await agent(t, { command: plays('none', '0', 'hang') });
  const { taskId } = await tasks.runAgent('default', { input: { message: 'hello' } });
  await when(taskId, ({ status }) => status === 'executing');
  let pid = 0;
  while (pid === 0) {
    await trail.parts.lines(taskId).flush();
    pid = pidIn(await lines(taskId));
  }
  await tasks.cancel(taskId);
  await until(() => !isAlive(pid));
});

test('a grandchild that outlives the agent is ended with it', async (t) => {
  const { run, lines } = await agent(t, { command: plays(recording('success.jsonl'), '0', 'grandchild') });
  const task = await run('hello');
  assert.equal(task.status, 'completed', task.error ?? '');
  const pid = pidIn(await lines(task.taskId));
  const group = spawnSync('ps', ['-o', 'stat=,args=', '-g', String(pid)], { encoding: 'utf8' }).stdout;
  assert.doesNotMatch(group, /^[^Z].*sleep 600/m);
});

test('it gets the environment it is given and nothing else, in its workspace', async (t) => {
  const { run, lines, dataDir } = await agent(t, {
    command: plays('none', '1', 'env'),
    env: { PATH: '/bin', ANTHROPIC_X: '1' },
  });
  const task = await run('hello');
  const printed = (await lines(task.taskId)).find(({ message }) => message.includes('ANTHROPIC_X'))?.message ?? '';
  const [env = '', cwd] = printed.split(' in ');
  assert.deepEqual(JSON.parse(env), { PATH: '/bin', ANTHROPIC_X: '1' });
  assert.equal(cwd, join(dataDir, 'workspaces', task.taskId));
});

test('a budget warns at 80 % and ends the run at 100 %', async (t) => {
  const free = await agent(t);
  const cost = (await free.run('how much?')).metrics.costUsd ?? 0;
  const warned = await agent(t, { budget: { taskUsd: cost * 1.1 } });
  const fine = await warned.run('hello');
  assert.equal(fine.status, 'completed');
  const warning = (await warned.lines(fine.taskId)).find(({ level }) => level === 'WARNING');
  assert.match(warning?.message ?? '', /[89]\d % of the budget of the task is used/);
  const short = await agent(t, { budget: { taskUsd: cost / 2 } });
  const ended = await short.run('hello');
  assert.equal(ended.status, 'failed');
  assert.match(ended.error ?? '', /the budget of the task is used up/);
});

test('when nothing is left of the day, nothing is started', async (t) => {
  const { run, lines } = await agent(t, { budget: { dailyUsd: 1, spentToday: async () => ({ usd: 1.5, tokens: 0 }) } });
  const task = await run('hello');
  assert.equal(task.status, 'failed');
  assert.match(task.error ?? '', /today's agents have cost \$1\.50 of \$1\.00/);
  assert.ok(!(await lines(task.taskId)).some(({ message }) => message.includes('PID')));
});

test('an agent needs a prompt, and must be known', async (t) => {
  const { tasks } = await agent(t);
  await assert.rejects(tasks.runAgent('default', {}), { code: 'invalid_task' });
  await assert.rejects(tasks.runAgent('brain', { input: { message: 'x' } }), {
    code: 'unknown_agent',
    message: /default/,
  });
});

test('any command can be an agent: its exit code decides', async (t) => {
  const good = await agent(
    t,
    shell('cat; echo; echo "::error file=a.ts,line=1::broken"; echo "::add-mask::hunter2hunter2"'),
  );
  const task = await good.run('the prompt');
  assert.equal(task.status, 'completed', task.error ?? '');
  const all = await good.lines(task.taskId);
  assert.ok(all.some(({ message }) => message === 'the prompt'));
  assert.ok(all.some(({ level, message }) => level === 'ERROR' && message.includes('broken')));
  assert.deepEqual(good.hidden, ['hunter2hunter2']);
  const bad = await agent(t, shell('exit 3'));
  const failed = await bad.run('x');
  assert.deepEqual([failed.status, failed.exitCode], ['failed', 3]);
});
