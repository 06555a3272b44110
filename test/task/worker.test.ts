import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { agentOf } from '../../src/agents/index.ts';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';
import { type FakeAgent, isAlive, pidIn, plays, recording, shell, talks, until, withAgents } from './agents.ts';

/** An agent that works when a file is there. */
const gated = (gate: string): FakeAgent => shell(`while [ ! -e ${gate} ]; do sleep 0.02; done`);
const hang = plays('none', '0', 'hang');
const PLAN = 'step one, step two';
const planner: FakeAgent = { ...shell(`cat >asked; echo '${PLAN}'`), type: 'planning', model: 'deep' };
const worker: FakeAgent = { ...shell('cat; exit 0'), type: 'executing', model: 'quick' };

test('what waits is taken by priority, then by age, never more than the places there are', async (t) => {
  const gate = join(await scratch(t), 'go');
  const { tasks, trail, run, lines } = await withAgents(
    t,
    { default: gated(gate) },
    { agentConcurrency: 2, idle: true },
  );
  const ids: string[] = [];
  for (const [n, priority] of [0, 5, 0, 9, 5].entries()) {
    ids.push((await tasks.runAgent('default', { title: `${n}`, input: { message: 'x' }, priority })).taskId);
  }
  await tasks.start();
  const states = async () => Promise.all(ids.map(async (id) => (await trail.get(id)).status));
  await until(async () => (await states()).filter((status) => status === 'executing').length === 2);
  assert.deepEqual(await states(), ['queued', 'executing', 'queued', 'executing', 'queued']);
  await writeFile(gate, '');
  const done = await Promise.all(ids.map((id) => tasks.wait(id)));
  const order = done
    .toSorted((a, b) => String(a.startedAt).localeCompare(String(b.startedAt)))
    .map(({ title }) => title);
  assert.deepEqual(order.slice(0, 2).sort(), ['1', '3']);
  assert.deepEqual(order.slice(2).at(0), '4');
  assert.deepEqual(order.slice(3).sort(), ['0', '2']);
  assert.equal(
    done.every(({ status }) => status === 'completed'),
    true,
  );
  assert.ok((await lines((await run('after all')).taskId)).length > 0);
});

test('a planning step makes a plan and waits for a person without a process or a place', async (t) => {
  const parts = await withAgents(t, { default: worker, brain: planner }, { agentConcurrency: 1 });
  const task = await parts.planned('mend the roof', { planner: 'brain' });
  assert.equal(task.status, 'pending_approval', task.error ?? '');
  assert.equal(task.metadata?.plan, PLAN);
  assert.deepEqual([task.assignedAgent, task.agentType, task.model], ['brain', 'planning', 'deep']);
  const all = await parts.lines(task.taskId);
  assert.deepEqual(
    all.slice(0, 2).map(({ type, message }) => [type, message.replace(/\d+/, 'N')]),
    [
      ['output', '[SYSTEM] Task started'],
      ['output', 'Command process started, PID: N'],
    ],
  );
  const shown = all.at(-1);
  assert.deepEqual([shown?.type, shown?.metadata, shown?.message], ['output', { plan: true }, PLAN]);
  assert.ok(!isAlive(pidIn(all)));
  // The only place is free for another task.
  assert.equal((await parts.run('meanwhile')).status, 'completed');
  assert.equal((await parts.trail.get(task.taskId)).status, 'pending_approval');
});

test('an approved plan is carried out by the executing agent, which gets the request and the plan', async (t) => {
  const parts = await withAgents(t, { default: worker, brain: planner });
  const { taskId } = await parts.planned('mend the roof', { planner: 'brain' });
  await parts.tasks.approve(taskId);
  const task = await parts.tasks.wait(taskId);
  assert.equal(task.status, 'completed', task.error ?? '');
  assert.deepEqual([task.assignedAgent, task.agentType, task.model], ['default', 'executing', 'quick']);
  const all = await parts.lines(taskId);
  const asked = all.filter(({ stream }) => stream === 'stdout').map(({ message }) => message);
  for (const part of ['mend the roof', PLAN]) assert.ok(asked.includes(part), part);
  assert.equal(asked.filter((message) => message === PLAN).length, 2, 'once by the planner, once by the worker');
});

test('figures of both steps add up, and the task’s budgets count both', async (t) => {
  const free = await withAgents(t, { default: {} });
  const once = (await free.run('hello')).metrics;
  const { taskId } = await free.planned('hello');
  assert.equal((await free.trail.get(taskId)).metrics.costUsd, once.costUsd);
  const planningSeconds = (await free.trail.get(taskId)).metrics.durationSeconds ?? 0;
  assert.ok(planningSeconds > 0);
  await free.tasks.approve(taskId);
  const both = (await free.tasks.wait(taskId)).metrics;
  for (const name of ['costUsd', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'numTurns'] as const) {
    assert.equal(both[name], 2 * Number(once[name]), name);
  }
  assert.ok(Number(both.durationSeconds) > planningSeconds);
  const short = await withAgents(t, { default: { budget: { taskUsd: Number(once.costUsd) * 1.5 } } });
  const waiting = await short.planned('hello', { retries: 3 });
  assert.equal(waiting.status, 'pending_approval');
  await short.tasks.approve(waiting.taskId);
  const ended = await short.tasks.wait(waiting.taskId);
  assert.deepEqual([ended.status, ended.metadata?.attempt], ['failed', undefined], 'more attempts would cost more');
  assert.match(ended.error ?? '', /the budget of the task is used up/);
});

test('a plan that is rejected or cancelled ends its task, and nothing is executed', async (t) => {
  const { planned, tasks, lines } = await withAgents(t, { default: worker, brain: planner });
  for (const ending of ['reject', 'cancel'] as const) {
    const { taskId } = await planned('mend the roof', { planner: 'brain' });
    await tasks[ending](taskId);
    const task = await tasks.wait(taskId);
    assert.equal(task.status, ending === 'reject' ? 'rejected' : 'cancelled');
    assert.equal((await lines(taskId)).filter(({ message }) => message.includes('PID')).length, 1);
  }
});

test('a run that is cancelled leaves what it had cost, added to what its plan had', async (t) => {
  const slow = plays(recording('success.jsonl'), '0', 'hang');
  const { planned, tasks, when, trail, written } = await withAgents(t, { default: { command: slow }, brain: planner });
  const { taskId, metrics } = await planned('x', { planner: 'brain' });
  await tasks.approve(taskId);
  await when(taskId, ({ status }) => status === 'executing');
  await until(async () => (await written(taskId)).some(({ type }) => type === 'result'));
  await tasks.cancel(taskId);
  await until(async () => (await trail.get(taskId)).metrics.costUsd === 0.0855475);
  const task = await trail.get(taskId);
  assert.equal(task.status, 'cancelled');
  assert.ok(Number(task.metrics.durationSeconds) > Number(metrics.durationSeconds));
});

test('nobody can approve a plan before it is there', async (t) => {
  const { tasks, when } = await withAgents(t, { default: { plan: { command: hang, timeoutSeconds: 60 } } });
  const { taskId } = await tasks.runAgent('default', { input: { message: 'x' } }, { approval: true });
  await when(taskId, ({ status }) => status === 'discovering');
  await assert.rejects(tasks.approve(taskId), { code: 'invalid_transition' });
  await tasks.cancel(taskId);
});

test('a planning step that fails, or plans nothing, fails its task', async (t) => {
  const { planned } = await withAgents(t, { default: worker, mute: shell('cat >asked'), bad: shell('exit 4') });
  const mute = await planned('x', { planner: 'mute' });
  assert.deepEqual([mute.status, mute.error], ['failed', 'the planning step made no plan']);
  const bad = await planned('x', { planner: 'bad' });
  assert.deepEqual([bad.status, bad.exitCode], ['failed', 4]);
});

test('while it plans a task can be paused, goes on planning, and times out', async (t) => {
  const parts = await withAgents(t, { default: { plan: { command: hang, timeoutSeconds: 3 } } });
  const { tasks, when } = parts;
  const { taskId } = await tasks.runAgent('default', { input: { message: 'x' } }, { approval: true });
  await when(taskId, ({ status }) => status === 'discovering');
  let pid = 0;
  while (pid === 0) pid = pidIn(await parts.written(taskId));
  await tasks.pause(taskId);
  await until(() => stateOf(pid).startsWith('T'));
  assert.equal((await tasks.resume(taskId)).status, 'discovering');
  await until(() => !stateOf(pid).startsWith('T'));
  const task = await tasks.wait(taskId);
  assert.deepEqual([task.status, task.error], ['timed_out', 'timed out after 3 s']);
  await until(() => !isAlive(pid));
});

test('a run that failed is tried again as often as its command says, with a growing delay', async (t) => {
  const { run, lines } = await withAgents(t, {
    default: { kind: agentOf('generic'), command: plays('none', '0', 'flaky') },
  });
  const task = await run('try', {}, { retries: 2 });
  assert.deepEqual([task.status, task.metadata?.attempt, task.metadata?.retry_at], ['completed', 3, null]);
  const all = await lines(task.taskId);
  const warnings = all.filter(({ level }) => level === 'WARNING').map(({ message }) => message);
  assert.deepEqual(warnings, [
    'Attempt 1 of 3 failed: exit code 9; next in 0.001 s',
    'Attempt 2 of 3 failed: exit code 9; next in 0.005 s',
  ]);
  const failed = await run('try', {}, { retries: 1 });
  assert.deepEqual([failed.status, failed.exitCode, failed.metadata?.attempt], ['failed', 9, 2]);
  assert.match((await lines(failed.taskId)).at(-1)?.message ?? '', /^Task failed: /);
});

test('what was approved is executed again and not planned again; figures add up over the attempts', async (t) => {
  const parts = await withAgents(t, { default: { command: plays(recording('max-turns.jsonl'), '1') }, brain: planner });
  const { taskId } = await parts.planned('x', { planner: 'brain', retries: 2 });
  await parts.tasks.approve(taskId);
  const task = await parts.tasks.wait(taskId);
  assert.deepEqual([task.status, task.metadata?.attempt], ['failed', 3]);
  const all = await parts.lines(taskId);
  assert.equal(all.filter(({ metadata }) => metadata?.plan === true).length, 1);
  assert.equal(all.filter(({ message }) => message.includes('Claude Code CLI process started')).length, 3);
  const alone = await parts.run('x');
  assert.ok(Number(alone.metrics.costUsd) > 0);
  assert.ok(Math.abs(Number(task.metrics.costUsd) - 3 * Number(alone.metrics.costUsd)) < 1e-9);
});

test('one that was too slow is tried again; the last time it is timed out', async (t) => {
  const { run, lines } = await withAgents(t, { default: { command: hang, timeoutSeconds: 0.3 } });
  const task = await run('x', {}, { retries: 1 });
  assert.deepEqual([task.status, task.error], ['timed_out', 'timed out after 0.3 s']);
  assert.match(
    (await lines(task.taskId)).map(({ message }) => message).join('\n'),
    /Attempt 1 of 2 failed: timed out after 0\.3 s/,
  );
});

test('a task that waits for its next attempt can be cancelled, and holds up nobody', async (t) => {
  const slow = { agentConcurrency: 1, retryFirstMs: 3_600_000 };
  const { tasks, run, when } = await withAgents(t, { default: worker, bad: shell('exit 1') }, slow);
  const how = { retries: 1 };
  const first = { input: { message: 'x' }, priority: 100 };
  const ids = [await tasks.runAgent('bad', first, how), await tasks.runAgent('bad', first, how)].map(
    (task) => task.taskId,
  );
  for (const id of ids) await when(id, ({ metadata }) => typeof metadata?.retry_at === 'string');
  assert.equal((await run('another')).status, 'completed');
  for (const id of ids) assert.equal((await tasks.cancel(id)).status, 'cancelled');
});

test('the wait for the next attempt outlives the process', async (t) => {
  const dataDir = await scratch(t);
  const agents = { default: { kind: agentOf('generic'), command: plays('none', '0', 'flaky') } };
  const first = await withAgents(t, agents, { dataDir, retryFirstMs: 1_500 });
  const { taskId } = await first.tasks.runAgent('default', { input: { message: 'x' } }, { retries: 2 });
  const { metadata } = await first.when(taskId, (task) => typeof task.metadata?.retry_at === 'string');
  await first.tasks.close();
  await first.trail.close();
  const second = await withAgents(t, agents, { dataDir });
  const task = await second.tasks.wait(taskId);
  assert.deepEqual([task.status, task.metadata?.attempt], ['completed', 3]);
  const again = (await second.lines(taskId)).filter(({ message }) => message === '[SYSTEM] Task started')[1];
  assert.ok(String(again?.timestamp) >= String(metadata?.retry_at), 'not before its time');
});

test('what is said to a running agent reaches its standard input, and stands in the trail first', async (t) => {
  const { tasks, dataDir, when, lines } = await withAgents(t, {
    default: { kind: agentOf('generic'), command: talks('text'), input: 'text' },
  });
  const { taskId } = await tasks.runAgent('default', { input: { message: 'hello' } });
  await when(taskId, ({ metadata }) => metadata?.takes_input === true);
  await tasks.input(taskId, 'use the other branch');
  // By another way in, as another process does.
  const other = await openTrail({ dataDir });
  await other.input(taskId, 'bye');
  await other.close();
  const task = await tasks.wait(taskId);
  assert.deepEqual([task.status, task.metadata?.takes_input], ['completed', null]);
  const all = await lines(taskId);
  const heard = all.filter(({ message }) => message.startsWith('heard: ')).map(({ message }) => message.slice(7));
  assert.deepEqual(heard, ['hello', 'use the other branch', 'bye']);
  const said = all.findIndex(({ type }) => type === 'user_input');
  assert.ok(said >= 0 && said < all.findIndex(({ message }) => message === 'heard: use the other branch'));
  await assert.rejects(tasks.input(taskId, 'too late'), { code: 'invalid_transition' });
});

test('an agent that reads JSON gets its prompt and what is said as messages, and the end of its input with its result', async (t) => {
  const { tasks, when } = await withAgents(t, { default: { command: talks('stream-json'), input: 'stream-json' } });
  const { taskId } = await tasks.runAgent('default', { input: { message: 'which "branch"?\nTell me.' } });
  await when(taskId, ({ metadata }) => metadata?.takes_input === true);
  await tasks.input(taskId, 'main');
  const task = await tasks.wait(taskId);
  assert.equal(task.status, 'completed', task.error ?? '');
  assert.equal(task.result, 'user user: which "branch"?\nTell me. | user user: main');
  assert.equal(task.metrics.costUsd, 0.25);
});

test('an agent that reads nothing while it runs takes no input, nor does one get what would be masked', async (t) => {
  const { tasks, when } = await withAgents(t, {
    default: { command: hang },
    chat: { kind: agentOf('generic'), command: talks('text'), input: 'text' },
  });
  const { taskId } = await tasks.runAgent('default', { input: { message: 'x' } });
  await when(taskId, ({ status }) => status === 'executing');
  await assert.rejects(tasks.input(taskId, 'hello?'), { code: 'invalid_transition', message: /reads none/ });
  await tasks.cancel(taskId);
  const chat = await tasks.runAgent('chat', { input: { message: 'x' } });
  await when(chat.taskId, ({ metadata }) => metadata?.takes_input === true);
  await assert.rejects(tasks.input(chat.taskId, `ghp_${'a'.repeat(36)}`), { code: 'invalid_parameter' });
  await tasks.input(chat.taskId, 'bye');
  assert.equal((await tasks.wait(chat.taskId)).status, 'completed');
});

test('budgets in tokens warn and end a run like those in dollars, of the task and of the day', async (t) => {
  const free = await withAgents(t, { default: {} });
  const { inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens } = (await free.run('hello')).metrics;
  const used = [inputTokens, outputTokens, cacheReadTokens, cacheCreationTokens].reduce<number>(
    (sum, n) => sum + Number(n),
    0,
  );
  const warned = await withAgents(t, { default: { budget: { taskTokens: Math.ceil(used * 1.1) } } });
  const fine = await warned.run('hello');
  assert.equal(fine.status, 'completed');
  const warning = (await warned.lines(fine.taskId)).find(({ level }) => level === 'WARNING');
  assert.match(warning?.message ?? '', /^[89]\d % of the budget of the task is used: [\d,]+ tokens of [\d,]+ tokens$/);
  const spentToday = async () => ({ usd: 0, tokens: 1_000 });
  const short = await withAgents(t, { default: { budget: { dailyTokens: 1_000 + Math.floor(used / 2), spentToday } } });
  assert.match((await short.run('hello')).error ?? '', /the budget of the day is used up: [\d,]+ tokens of/);
  const none = await withAgents(t, { default: { budget: { dailyTokens: 1_000, spentToday } } });
  assert.match(
    (await none.run('hello')).error ?? '',
    /1,000 tokens of 1,000 tokens; raise TASKTRAIL_AGENT_DAILY_TOKENS/,
  );
});

test('an agent that dies, prints no text, or leaves a child behind ends as it should, in both steps', async (t) => {
  const cases: readonly [command: readonly [string, ...string[]], fine: boolean][] = [
    [plays('none', '0', 'signal'), false],
    [plays(recording('success.jsonl'), '0', 'bytes'), true],
    [plays(recording('success.jsonl'), '0', 'grandchild'), true],
  ];
  for (const [command, fine] of cases) {
    const parts = await withAgents(t, { default: { command }, sound: worker });
    const { taskId } = await parts.tasks.runAgent('default', { input: { message: 'x' } }, { approval: true });
    const planned = await parts.when(taskId, ({ status, ended }) => status === 'pending_approval' || ended);
    assert.equal(planned.status, fine ? 'pending_approval' : 'failed', command.at(-1));
    assert.equal(groupOf(pidIn(await parts.lines(taskId))), '');
    const executed = await parts.run('x');
    assert.equal(executed.status, fine ? 'completed' : 'failed', command.at(-1));
    assert.equal(groupOf(pidIn(await parts.lines(executed.taskId))), '');
  }
});

test('a request with a secret reaches both steps and every attempt as it is, though what is stored of it is masked', async (t) => {
  const token = `ghp_${'a'.repeat(36)}`;
  const count = shell(`grep -c ${token}; [ -e again ] || { touch again; exit 1; }`);
  const parts = await withAgents(t, { default: count, brain: shell(`grep -c ${token}`) });
  const planned = await parts.planned(`use ${token}`, { planner: 'brain', retries: 1 });
  assert.equal(planned.metadata?.plan, '1', planned.error ?? '');
  assert.ok(!JSON.stringify(planned.params).includes(token));
  await parts.tasks.approve(planned.taskId);
  const task = await parts.tasks.wait(planned.taskId);
  assert.deepEqual([task.status, task.metadata?.attempt], ['completed', 2], task.error ?? '');
  const counted = (await parts.lines(task.taskId)).filter(({ stream }) => stream === 'stdout');
  assert.deepEqual(
    counted.map(({ message }) => message),
    ['1', '1', '1'],
  );
});

test('what a caller says of a task cannot stand for a plan, an attempt, or an ear', async (t) => {
  const { tasks, when } = await withAgents(t, { default: worker, brain: planner });
  const metadata = { plan: 'mine', attempt: 9, retry_at: '9999-01-01T00:00:00Z', takes_input: true, other: 1 };
  const draft = { input: { message: 'x' }, metadata };
  const { taskId } = await tasks.runAgent('default', draft, { approval: true, planner: 'brain' });
  const task = await when(taskId, ({ status }) => status === 'pending_approval');
  assert.deepEqual(task.metadata, { other: 1, queue: 'agents', plan: PLAN });
});

test('parameters say what is wrong with them', async (t) => {
  const { tasks } = await withAgents(t, { default: {} });
  const draft = { input: { message: 'x' } };
  await assert.rejects(tasks.runAgent('default', draft, { retries: 11 }), {
    code: 'invalid_params',
    message: /retries/,
  });
  await assert.rejects(tasks.runAgent('default', draft, { planner: 'nobody' }), { code: 'unknown_agent' });
});

function stateOf(pid: number): string {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

/** What still lives of a process group. */
function groupOf(pid: number): string {
  const { stdout } = spawnSync('ps', ['-eo', 'pgid=,stat=,args='], { encoding: 'utf8' });
  const ours = stdout.split('\n').filter((line) => new RegExp(`^\\s*${pid}\\s+[^Z]`).test(line));
  return ours.join('\n');
}
