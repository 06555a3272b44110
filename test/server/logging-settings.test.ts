import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { LoggingSettings } from '../../src/trail/logging.ts';
import { LOGGING, served } from '../support/served.ts';

const URL = '/api/settings/logging';
const TOKENS = [
  { role: 'admin', token: 'admin-token' },
  { role: 'writer', token: 'writer-token' },
  { role: 'reader', token: 'reader-token' },
] as const;
const as = (role: string) => ({ authorization: `Bearer ${role}-token` });

/** The levels that are kept of a line of each level. */
async function kept(t: TestContext, parts: Awaited<ReturnType<typeof served>>): Promise<readonly string[]> {
  const { body: task } = await parts.json('POST', '/api/tasks', {});
  const lines = ['DEBUG', 'INFO', 'WARNING', 'ERROR'].map((level) => ({ message: level, level }));
  await parts.json('POST', `/api/tasks/${task.task_id}/logs`, lines);
  const { body } = await parts.json('GET', `/api/tasks/${task.task_id}/logs`);
  t.diagnostic(task.task_id);
  return body.logs.map(({ level }: { level: string }) => level);
}

test('what holds is told: the environment until something was saved', async (t) => {
  const { json } = await served(t);
  const { status, body } = await json('GET', URL);
  assert.equal(status, 200);
  assert.deepEqual(body, { level: 'INFO', task_log_level: 'INFO', enable_belief_state: true });
});

test('the level of tasks is changed at once, apart from that of the server', async (t) => {
  const parts = await served(t);
  assert.deepEqual(await kept(t, parts), ['INFO', 'WARNING', 'ERROR']);
  const changed = await parts.json('PATCH', URL, { task_log_level: 'debug' });
  assert.deepEqual(changed.body, { level: 'INFO', task_log_level: 'DEBUG', enable_belief_state: true });
  assert.deepEqual(await kept(t, parts), ['DEBUG', 'INFO', 'WARNING', 'ERROR']);
  await parts.json('PATCH', URL, { task_log_level: 'ERROR', level: 'DEBUG' });
  assert.deepEqual(await kept(t, parts), ['ERROR']);
});

test('other types than log are kept whatever the level', async (t) => {
  const { json } = await served(t);
  await json('PATCH', URL, { task_log_level: 'ERROR' });
  const { body: task } = await json('POST', '/api/tasks', {});
  const lines = ['output', 'progress', 'thinking', 'log'].map((type) => ({ message: type, type, level: 'DEBUG' }));
  const { body } = await json('POST', `/api/tasks/${task.task_id}/logs`, lines);
  assert.deepEqual([body.accepted, body.filtered], [3, 1]);
});

test('a part that is left out stays, and null returns to what the environment says', async (t) => {
  const { json } = await served(t);
  await json('PATCH', URL, { level: 'ERROR', enable_belief_state: false });
  assert.deepEqual((await json('PATCH', URL, { task_log_level: 'WARNING' })).body, {
    level: 'ERROR',
    task_log_level: 'WARNING',
    enable_belief_state: false,
  });
  const back = await json('PATCH', URL, { level: null, task_log_level: null, enable_belief_state: null });
  assert.deepEqual(back.body, { level: 'INFO', task_log_level: 'INFO', enable_belief_state: true });
});

test('what was saved holds after a restart, and beats the environment', async (t) => {
  const { json, intake } = await served(t);
  await json('PATCH', URL, { task_log_level: 'ERROR' });
  const again = await LoggingSettings.open(intake, { ...LOGGING, level: 'WARNING', taskLogLevel: 'DEBUG' });
  assert.deepEqual(again.current, { level: 'WARNING', taskLogLevel: 'ERROR', enableBeliefState: true });
  assert.deepEqual(again.saved, ['task_log_level']);
  await again.change({ taskLogLevel: null });
  assert.equal((await LoggingSettings.open(intake, LOGGING)).current.taskLogLevel, 'INFO');
});

test('who listens is told now and after each change', async (t) => {
  const { json, logging } = await served(t);
  const told: string[] = [];
  logging.listen(({ level }) => told.push(level));
  await Promise.all([json('PATCH', URL, { level: 'DEBUG' }), json('PATCH', URL, { level: 'ERROR' })]);
  assert.equal(told[0], 'INFO');
  assert.deepEqual(told.slice(1).sort(), ['DEBUG', 'ERROR']);
  assert.equal(logging.current.level, told.at(-1));
});

test('only an admin changes it, everybody with a token reads it', async (t) => {
  const { json } = await served(t, { settings: { tokens: TOKENS } });
  for (const role of ['reader', 'writer', 'admin'])
    assert.equal((await json('GET', URL, undefined, as(role))).status, 200);
  for (const role of ['reader', 'writer']) {
    const { status, body } = await json('PATCH', URL, { level: 'DEBUG' }, as(role));
    assert.deepEqual([status, body.code], [403, 'forbidden']);
  }
  assert.equal((await json('PATCH', URL, { level: 'DEBUG' })).status, 401);
  assert.equal((await json('GET', URL, undefined, as('admin'))).body.level, 'INFO');
  assert.equal((await json('PATCH', URL, { level: 'DEBUG' }, as('admin'))).status, 200);
});

test('wrong values are named, each one, and nothing changes', async (t) => {
  const { json } = await served(t);
  const wrong = { level: 'LOUD', task_log_level: 7.5, enable_belief_state: 'yes' };
  const { status, body } = await json('PATCH', URL, wrong);
  assert.deepEqual([status, body.code], [400, 'invalid_parameter']);
  assert.deepEqual(
    body.errors.map(({ path }: { path: string }) => path),
    ['level', 'task_log_level', 'enable_belief_state'],
  );
  assert.equal((await json('PATCH', URL, { volume: 11 })).status, 400);
  assert.equal((await json('GET', URL)).body.level, 'INFO');
});
