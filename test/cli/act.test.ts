import assert from 'node:assert/strict';
import test from 'node:test';
import { openTrail } from '../../src/trail/open.ts';
import { place, reach, serve, start, tasktrail } from './cli.ts';

test('approve, reject, cancel and input work on the directory when no server is there', async (t) => {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  for (const taskId of ['a', 'b']) await trail.create({ taskId, status: 'pending_approval' });
  await trail.create({ taskId: 'c' });
  await trail.create({ taskId: 'd', status: 'awaiting_input' });
  assert.deepEqual((await tasktrail(t, at, 'approve', 'a')).stdout, 'a is approved\n');
  assert.deepEqual((await tasktrail(t, at, 'reject', 'b')).stdout, 'b is rejected\n');
  const cancelled = await tasktrail(t, at, 'cancel', 'c', '--json');
  assert.deepEqual([cancelled.code, JSON.parse(cancelled.stdout).status], [0, 'cancelled']);
  assert.equal((await tasktrail(t, at, 'input', 'd', 'the blue one')).stdout, 'd is executing\n');
  const { logs } = await trail.logs('d');
  assert.deepEqual(
    logs.map(({ message, type, source }) => [message, type, source]),
    [['the blue one', 'user_input', 'user']],
  );
  await trail.close();
});

test('the same words reach a server, and input reads what is piped in', async (t) => {
  const at = await place(t);
  const { url } = await serve(t, at);
  const trail = await reach(t, url);
  await trail.create({ taskId: 'a', status: 'pending_approval' });
  await trail.create({ taskId: 'b', status: 'awaiting_input' });
  assert.equal((await tasktrail(t, at, 'approve', 'a')).code, 0);
  assert.equal((await trail.get('a')).status, 'approved');
  const piped = await start(t, at, ['input', 'b'], 'first line\nsecond line\n').ended;
  assert.equal(piped.code, 0, piped.stderr);
  assert.equal((await trail.logs('b')).logs[0]?.message, 'first line\nsecond line');
});

test('what cannot be done is told, with the exit code of its kind', async (t) => {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  await trail.create({ taskId: 'done', status: 'completed' });
  await trail.close();
  const ended = await tasktrail(t, at, 'approve', 'done');
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /completed cannot become approved/);
  assert.match((await tasktrail(t, at, 'cancel', 'nobody')).stderr, /there is no task nobody/);
  assert.match((await tasktrail(t, at, 'input', 'done', 'x')).stderr, /takes no input/);
  const silent = await start(t, at, ['input', 'done'], '').ended;
  assert.deepEqual([silent.code, /expected a message/.test(silent.stderr)], [2, true]);
  assert.equal((await tasktrail(t, at, 'approve')).code, 2);
  for (const command of ['approve', 'reject', 'cancel', 'input']) {
    assert.match((await tasktrail(t, at, command, '--help')).stdout, /Examples:/);
  }
});
