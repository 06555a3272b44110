import assert from 'node:assert/strict';
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { JsonObject } from '../../src/core/entry.ts';
import { type ShellCommand, shellPlugin } from '../../src/plugins/shell.ts';
import { scratch } from '../support/scratch.ts';
import { managed } from '../task/support.ts';
import { seenLine } from './support.ts';

const ENV = { PATH: '/usr/local/bin:/usr/bin:/bin' };

async function shell(t: TestContext, commands: Record<string, ShellCommand>, killAfterMs?: number) {
  const cwd = await realpath(await scratch(t));
  const options = { cwd, env: ENV, ...(killAfterMs !== undefined && { killAfterMs }) };
  return { cwd, ...(await managed(t, { plugins: [shellPlugin(commands, options)] })) };
}

test("a listed command runs: its lines have its name as source and their stream, its exit code is the task's result", async (t) => {
  const { done, lines } = await shell(t, { greet: { run: ['sh', '-c', 'echo hello; echo "ERROR: no" >&2'] } });
  const task = await done('shell', { command: 'greet' });
  assert.deepEqual([task.status, task.result], ['completed', { exit_code: 0 }]);
  const own = (await lines(task.taskId)).filter(({ source }) => source === 'greet');
  const seen = own.map(({ stream, level, message, type }) => [stream, level, message, type]);
  assert.deepEqual(seen.sort(), [
    ['stderr', 'ERROR', 'ERROR: no', 'output'],
    ['stdout', 'INFO', 'hello', 'output'],
  ]);
});

test('another exit code fails the task and is kept; what cannot be started says why', async (t) => {
  const { done } = await shell(t, {
    broken: { run: ['sh', '-c', 'exit 3'] },
    absent: { run: ['./not-here'] },
    homeless: { run: ['true'], cwd: '/not/here' },
  });
  const broken = await done('shell', { command: 'broken' });
  assert.deepEqual([broken.status, broken.exitCode, broken.error], ['failed', 3, 'broken exited with code 3']);
  const absent = await done('shell', { command: 'absent' });
  assert.deepEqual([absent.status, absent.exitCode], ['failed', 127]);
  assert.match(absent.error ?? '', /could not be started/);
  const homeless = await done('shell', { command: 'homeless' });
  assert.deepEqual([homeless.status, homeless.exitCode], ['failed', 126]);
  assert.match(homeless.error ?? '', /directory .*\/not\/here is not there/);
});

test('only what the operator listed runs, and no parameter becomes part of a command line', async (t) => {
  const print: ShellCommand = { run: ['sh', '-c', 'printf "%s|" "$0" "$@"; cat', '$(id)', '; rm -rf'] };
  const { cwd, tasks, done, lines } = await shell(t, { print });
  const refused: readonly JsonObject[] = [
    {},
    { command: 'sh' },
    { command: 'print; id' },
    { command: ['print'] },
    { command: '__proto__' },
    { command: 'print', args: ['-x'] },
    { command: 'print', env: { A: '1' } },
    { command: 'print', input: 5 },
  ];
  for (const params of refused) {
    await assert.rejects(tasks.run('shell', params), { code: 'invalid_params' }, JSON.stringify(params));
  }
  const task = await done('shell', { command: 'print', input: '$(touch made) `touch made`' });
  const [line] = (await lines(task.taskId)).filter(({ source }) => source === 'print');
  assert.equal(line?.message, '$(id)|; rm -rf|$(touch made) `touch made`');
  await assert.rejects(readFile(join(cwd, 'made')), { code: 'ENOENT' });
});

test("a command gets the operator's environment and directory, and nothing of this process's own", async (t) => {
  const other = await realpath(await scratch(t));
  process.env.OURS_ALONE = 'secret';
  t.after(() => delete process.env.OURS_ALONE);
  const { cwd, done, lines } = await shell(t, {
    here: { run: ['sh', '-c', 'pwd; echo "[$OURS_ALONE][$STAGE]"'] },
    there: { run: ['pwd'], cwd: other, env: { STAGE: 'test' } },
    staged: { run: ['sh', '-c', 'echo $STAGE'], env: { STAGE: 'test' } },
  });
  const printed = async (command: string): Promise<string[]> => {
    const { taskId } = await done('shell', { command });
    return (await lines(taskId)).filter(({ source }) => source === command).map(({ message }) => message);
  };
  assert.deepEqual(await printed('here'), [cwd, '[][]']);
  assert.deepEqual(await printed('there'), [other]);
  assert.deepEqual(await printed('staged'), ['test']);
});

test('a cancelled task ends its command with all that it started, also where it is deaf or paused', async (t) => {
  // The grandchild would go on for ever; the group is what ends it.
  const tree = 'sh -c "echo \\$\\$; while :; do sleep 0.1; done" & wait';
  const { trail, tasks } = await shell(
    t,
    {
      tree: { run: ['sh', '-c', tree] },
      deaf: { run: ['sh', '-c', `trap "" TERM; echo $$; while :; do sleep 0.1; done`] },
    },
    200,
  );
  for (const { command, pause } of [
    { command: 'tree', pause: false },
    { command: 'deaf', pause: false },
    { command: 'tree', pause: true },
  ]) {
    const { taskId } = await tasks.run('shell', { command });
    const pid = Number((await seenLine(trail, taskId, ({ source }) => source === command)).message);
    assert.ok(await stateOf(pid), `${command} told its pid`);
    if (pause) {
      await tasks.pause(taskId);
      await untilState(pid, (state) => state === 'T');
    }
    await tasks.cancel(taskId);
    assert.equal((await tasks.wait(taskId)).status, 'cancelled');
    await untilState(pid, (state) => state === undefined || state === 'Z');
  }
});

test('a paused task stops its processes and lets them go on', async (t) => {
  const { trail, tasks } = await shell(t, { tick: { run: ['sh', '-c', 'echo $$; while :; do sleep 0.05; done'] } });
  const { taskId } = await tasks.run('shell', { command: 'tick' });
  const pid = Number((await seenLine(trail, taskId, ({ source }) => source === 'tick')).message);
  await tasks.pause(taskId);
  await untilState(pid, (state) => state === 'T');
  await tasks.resume(taskId);
  await untilState(pid, (state) => state === 'S' || state === 'R');
  await tasks.cancel(taskId);
});

test('a command that takes too long is ended, one that needs leave waits for it', async (t) => {
  const { tasks, done, when, lines } = await shell(t, {
    slow: { run: ['sleep', '60'], timeoutSeconds: 0.1 },
    deploy: { run: ['echo', "it's done"], approval: true },
  });
  const slow = await done('shell', { command: 'slow' });
  assert.deepEqual([slow.status, slow.error, slow.exitCode], ['failed', 'slow was ended after 0.1 s', 143]);

  const first = await tasks.run('shell', { command: 'deploy' });
  const asked = await when(first.taskId, ({ status }) => status === 'pending_approval');
  assert.equal(asked.metadata?.plan, `Run deploy: echo 'it'\\''s done'`);
  await tasks.approve(first.taskId);
  assert.equal((await tasks.wait(first.taskId)).status, 'completed');

  const second = await tasks.run('shell', { command: 'deploy' });
  await when(second.taskId, ({ status }) => status === 'pending_approval');
  await tasks.reject(second.taskId);
  assert.equal((await tasks.wait(second.taskId)).status, 'rejected');
  assert.ok((await lines(second.taskId)).every(({ source }) => source !== 'deploy'));
});

test('a flood of output is kept whole', async (t) => {
  const { done } = await shell(t, { flood: { run: ['seq', '1', '200000'] } });
  const task = await done('shell', { command: 'flood' });
  assert.equal(task.log.lost, 0);
  // Besides "Task started", "Running flood" and "Task completed".
  assert.equal(task.log.total, 200_003);
});

test('a line that is not ended yet is shown, masked, and stored when it is', async (t) => {
  const secret = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
  const script = `printf 'half ${secret}'; while [ ! -e go ]; do sleep 0.05; done; echo ' whole'`;
  const { cwd, trail, tasks, lines } = await shell(t, { bar: { run: ['sh', '-c', script] } });
  const { taskId } = await tasks.run('shell', { command: 'bar' });
  for await (const event of trail.parts.live.follow(taskId, {})) {
    if (event.type !== 'partial' || event.text === '') continue;
    assert.match(event.text, /^half /);
    assert.ok(!event.text.includes(secret));
    await writeFile(join(cwd, 'go'), '');
    break;
  }
  await tasks.wait(taskId);
  const [line, ...more] = (await lines(taskId)).filter(({ source }) => source === 'bar');
  assert.match(line?.message ?? '', /^half .* whole$/);
  assert.ok(!line?.message.includes(secret));
  assert.deepEqual(more, []);
});

test('commands whose name cannot be a source, and an empty list, are refused', () => {
  const options = { cwd: '/', env: {} };
  assert.throws(() => shellPlugin({ 'a,b': { run: ['true'] } }, options), { code: 'invalid_plugin' });
  assert.throws(() => shellPlugin({}, options), { code: 'invalid_plugin' });
});

/** Its state as the kernel names it (T is stopped, Z has ended); undefined when it is gone. */
async function stateOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[0];
}

/** Processes tell nobody when their state changes: it is looked at until it has. */
async function untilState(pid: number, fits: (state: string | undefined) => boolean): Promise<void> {
  while (!fits(await stateOf(pid))) await new Promise((resolve) => setTimeout(resolve, 10));
}
