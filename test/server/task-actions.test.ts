import assert from 'node:assert/strict';
import test from 'node:test';
import { served } from '../support/served.ts';

test('each action leads to its status and answers the task', async (t) => {
  const { json } = await served(t);
  for (const [from, action, to] of [
    ['executing', 'cancel', 'cancelled'],
    ['executing', 'pause', 'paused'],
    ['paused', 'resume', 'executing'],
    ['pending_approval', 'approve', 'approved'],
    ['pending_approval', 'reject', 'rejected'],
    ['executing', 'complete', 'completed'],
    ['executing', 'heartbeat', 'executing'],
    ['cancelled', 'resume', 'executing'],
    ['failed', 'resume', 'executing'],
  ]) {
    const { body } = await json('POST', '/api/tasks', { status: from });
    const moved = await json('POST', `/api/tasks/${body.task_id}/${action}`);
    assert.deepEqual([moved.status, moved.body.status], [200, to], `${from} ${action}`);
  }
});

test('completing keeps result, exit code and metrics; failing keeps the error', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('good', 0);
  const metrics = { cost_usd: 0.25, input_tokens: 10 };
  const good = await json('POST', '/api/tasks/good/complete', { result: { pr: 42 }, exit_code: 0, metrics });
  assert.deepEqual([good.body.result, good.body.exit_code, good.body.ended], [{ pr: 42 }, 0, true]);
  assert.deepEqual(
    [good.body.metrics.cost_usd, good.body.metrics.input_tokens, good.body.metrics.num_turns],
    [0.25, 10, null],
  );
  await taskWith('bad', 0);
  const bad = await json('POST', '/api/tasks/bad/fail', { error: 'boom', exit_code: 3 });
  assert.deepEqual([bad.body.status, bad.body.error, bad.body.exit_code], ['failed', 'boom', 3]);
  await taskWith('mute', 0);
  const mute = await json('POST', '/api/tasks/mute/fail');
  assert.deepEqual([mute.status, mute.body.errors[0].path], [400, 'error']);
});

test('repeating the same ending is 200 and changes nothing; another ending is 409', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const first = await json('POST', '/api/tasks/t/complete', { result: 1 });
  const again = await json('POST', '/api/tasks/t/complete', { result: 2 });
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, first.body);
  for (const action of ['fail', 'cancel', 'pause', 'approve', 'input']) {
    const body = { fail: { error: 'x' }, input: { message: 'x' } }[action];
    const refused = await json('POST', `/api/tasks/t/${action}`, body);
    assert.deepEqual([refused.status, refused.body.code], [409, 'invalid_transition'], action);
  }
  assert.deepEqual((await json('GET', '/api/tasks/t')).body, first.body);
});

test('a heartbeat of an ended task neither reopens nor touches it', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const ended = await json('POST', '/api/tasks/t/cancel');
  const beat = await json('POST', '/api/tasks/t/heartbeat');
  assert.equal(beat.status, 200);
  assert.deepEqual(beat.body, ended.body);
});

test('a rejected task stays rejected, for the reason that was given', async (t) => {
  const { json } = await served(t);
  await json('POST', '/api/tasks', { task_id: 't', status: 'pending_approval' });
  const { body: rejected } = await json('POST', '/api/tasks/t/reject', { reason: 'too risky' });
  assert.deepEqual([rejected.status, rejected.error], ['rejected', 'too risky']);
  const { status, body } = await json('POST', '/api/tasks/t/resume');
  assert.deepEqual([status, body.code], [409, 'invalid_transition']);
});

test('what a person says becomes a user_input line, and a task that waited goes on', async (t) => {
  const { json } = await served(t);
  await json('POST', '/api/tasks', { task_id: 't', status: 'awaiting_input' });
  const said = await json('POST', '/api/tasks/t/input', { message: 'use branch main' });
  assert.deepEqual([said.status, said.body.status], [200, 'executing']);
  const { logs } = (await json('GET', '/api/tasks/t/logs')).body;
  assert.equal(logs.length, 1);
  assert.deepEqual([logs[0].type, logs[0].message], ['user_input', 'use branch main']);
  assert.equal(logs[0].metadata.question_type, 'clarification');
  assert.equal((await json('POST', '/api/tasks/t/input', {})).body.errors[0].path, 'message');
});

test('a task that an outside program reports cannot be run again here', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const { status, body } = await json('POST', '/api/tasks/t/rerun');
  assert.deepEqual([status, body.code], [409, 'not_rerunnable']);
});

test('an action refuses fields that it does not know', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const { status, body } = await json('POST', '/api/tasks/t/complete', { resutl: 1 });
  assert.deepEqual([status, body.code], [400, 'invalid_request']);
  assert.match(body.detail, /resutl.*did you mean result/);
  assert.equal((await json('GET', '/api/tasks/t')).body.ended, false);
});
