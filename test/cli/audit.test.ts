import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import test from 'node:test';
import { openTrail } from '../../src/trail/open.ts';
import { place, reach, serve, tasktrail } from './cli.ts';

test('what the command line does to a directory without a server is on record with the user of the machine', async (t) => {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  for (const taskId of ['a', 'b', 'c']) await trail.create({ taskId, status: 'pending_approval' });
  await trail.close();
  for (const words of [
    ['approve', 'a'],
    ['cancel', 'b'],
    ['prune', '--older-than', '0', '--yes'],
  ]) {
    assert.equal((await tasktrail(t, at, ...words)).code, 0, words.join(' '));
  }
  const { stdout, code } = await tasktrail(t, at, 'audit', '--json');
  assert.equal(code, 0);
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ action, target }) => [action, target.id]),
    [
      ['retention.delete', null],
      ['task.cancel', 'b'],
      ['task.approve', 'a'],
    ],
  );
  const { username } = userInfo();
  for (const { actor } of records) {
    assert.deepEqual(actor, { kind: 'cli', name: username, role: null, address: null });
  }
  assert.equal(records[0].details.tasks, 1);

  const table = await tasktrail(t, at, 'audit', '--action', 'task.*', '--limit', '1');
  assert.match(table.stdout, /^NO +TIME +WHO +ACTION/);
  assert.match(table.stdout, /task\.cancel +task:b +done/);
  assert.match(table.stderr, /there are more; --all/);
  assert.equal((await tasktrail(t, at, 'audit', '--limit', '0')).code, 2);
  assert.match((await tasktrail(t, at, 'audit', '--from', 'soon')).stderr, /from: expected ISO 8601/);
  assert.match((await tasktrail(t, at, 'audit', '--help')).stdout, /Examples:/);
});

test('the same words read the audit of a server, all pages of it', async (t) => {
  const at = await place(t);
  const { url } = await serve(t, at);
  const trail = await reach(t, url);
  for (const taskId of ['a', 'b', 'c']) {
    await trail.create({ taskId });
    assert.equal((await tasktrail(t, at, 'cancel', taskId)).code, 0);
  }
  const { stdout } = await tasktrail(t, at, 'audit', '--all', '--json');
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    records.map(({ actor, action, target }) => [actor.kind, actor.address, action, target.id]),
    ['c', 'b', 'a'].map((id) => ['loopback', '127.0.0.1', 'task.cancel', id]),
  );
});
