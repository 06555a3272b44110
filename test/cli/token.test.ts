import assert from 'node:assert/strict';
import { test } from 'node:test';
import { place, serve, tasktrail } from './cli.ts';

test('a token is made in the directory, opens a server that listens for others, and is revoked there at once', async (t) => {
  const at = await place(t, { TASKTRAIL_HOST: '0.0.0.0' });
  const refused = await tasktrail(t, at, 'serve', '--port', '0');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /TASKTRAIL_HOST.*tasktrail token create/s);
  const made = await tasktrail(t, at, 'token', 'create', 'ci', '--role', 'writer', '--expires-in-days', '1');
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^tt_[\w-]{43}\n$/, 'a script can take it');
  const headers = { authorization: `Bearer ${made.stdout.trim()}` };
  const server = await serve(t, at);
  const statusOf = async (init: RequestInit = {}): Promise<number> =>
    (await fetch(`${server.url}/api/tasks`, init)).status;
  assert.deepEqual([await statusOf(), await statusOf({ headers })], [401, 200], 'loopback is not let in without one');
  const listed = await tasktrail(t, at, 'token', 'list', '--json');
  const [token] = listed.stdout.trim().split('\n');
  const { token_id: id, name, role, last_used_at: used } = JSON.parse(token ?? '');
  assert.deepEqual([name, role, typeof used], ['ci', 'writer', 'string']);
  assert.ok(!listed.stdout.includes(made.stdout.trim()));
  const shown = await tasktrail(t, at, 'token', 'list');
  assert.match(shown.stdout, /^ID +NAME +ROLE +BEGINS +EXPIRES +LAST USED +MADE BY\ntok_\S+ +ci +writer +tt_.{4}… /);
  assert.equal((await tasktrail(t, at, 'token', 'revoke', id)).code, 0);
  assert.equal(await statusOf({ headers }), 401);
  const again = await tasktrail(t, at, 'token', 'revoke', id);
  assert.deepEqual([again.code, /token_not_found|no token/.test(again.stderr)], [1, true]);
});

test('a wrong role or time is refused with what is allowed', async (t) => {
  const at = await place(t);
  const role = await tasktrail(t, at, 'token', 'create', 'x', '--role', 'owner');
  assert.match(role.stderr, /reader, writer, admin/);
  const days = await tasktrail(t, at, 'token', 'create', 'x', '--expires-in-days', 'soon');
  assert.deepEqual([days.code, /number of days/.test(days.stderr)], [2, true]);
});
