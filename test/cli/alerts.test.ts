import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { answer, provider } from '../outlet/replies/support.ts';
import { signed } from '../support/webhooks.ts';
import { type Place, place, serve, start, tasktrail } from './cli.ts';

async function configured(t: TestContext, alerts: object, env: Record<string, string> = {}): Promise<Place> {
  const at = await place(t, env);
  await writeFile(join(at.cwd, 'tasktrail.config.json'), JSON.stringify({ alerts }));
  return at;
}

test('an alert of the config file tells of a command that ends at once, and is listed, previewed and tested', async (t) => {
  const there = await provider(t);
  const secret = 'the secret of the receiver';
  const at = await configured(
    t,
    {
      boom: { query: '"it went boom"', cool_down_seconds: 0, to: [{ webhook: there.url, secret_env: 'HOOK_SECRET' }] },
    },
    { HOOK_SECRET: secret },
  );
  const server = await serve(t, at);
  assert.equal((await tasktrail(t, at, 'run', '--', 'echo', 'it went boom')).code, 0);
  const [heard] = await there.asked(1);
  assert.equal(heard?.body.count, 1);
  assert.deepEqual(heard?.body.alert, { id: 'boom', name: 'boom', severity: 'warning' });
  const signature = signed(secret, JSON.stringify(heard?.body));
  assert.equal(heard?.headers['x-tasktrail-signature'], `sha256=${signature}`);
  const listed = await tasktrail(t, at, 'alerts', 'list');
  assert.match(
    listed.stdout,
    /^ID +STATE +WHEN +QUERY +LAST FIRED +LAST FAULT\nboom +0 of 1 +1 lines in 300 s +"it went boom" +\d{4}-/,
  );
  const [shown] = (await tasktrail(t, at, 'alerts', 'list', '--json')).stdout.trim().split('\n');
  assert.equal(JSON.parse(shown ?? '').state.fired, 1);
  const preview = await tasktrail(t, at, 'alerts', 'preview', 'boom', '--from', '2020-01-01');
  assert.match(
    preview.stdout,
    /^It would have fired once: 1 matches, 2020-01-01T00:00:00Z – .*\n\d{4}-.*Z {2}1 matched\n$/,
  );
  const often = await tasktrail(t, at, 'alerts', 'preview', 'boom', '--threshold', '2', '--json');
  assert.deepEqual([JSON.parse(often.stdout).fired_total, JSON.parse(often.stdout).matches], [0, 1]);
  const tested = await tasktrail(t, at, 'alerts', 'test', 'boom');
  assert.deepEqual([tested.code, tested.stdout.includes('sent')], [0, true]);
  there.answering = answer(410);
  const failed = await tasktrail(t, at, 'alerts', 'test', 'boom');
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /failed +HTTP 410/);
  // It stands in the file, so nobody changes it here.
  const refused = await fetch(`${server.url}/api/alerts/boom`, { method: 'DELETE' });
  assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [409, 'alert_fixed']);
  const bad = await tasktrail(t, at, 'alerts', 'preview', 'level:erro');
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /column 7/);
});

test('without a server, and with a number that is none, the command says what to do', async (t) => {
  const at = await place(t);
  const alone = await tasktrail(t, at, 'alerts', 'list');
  assert.equal(alone.code, 1);
  assert.match(alone.stderr, /alerts are a server's affair; start one with: /);
  const odd = await tasktrail(t, at, 'alerts', 'preview', 'x', '--threshold', 'two');
  assert.equal(odd.code, 2);
  assert.match(odd.stderr, /--threshold: expected a whole number, got two/);
});

for (const [alerts, fault] of [
  [{ a: { query: 'level:erro', to: [] } }, /alerts\.a\.query in .*: column 7: expected a level/],
  [{ a: { query: 'x', to: [], treshold: 1 } }, /alerts\.a in .*: expected .*threshold.*; got "treshold"/],
  [
    { a: { query: 'x', to: [{ webhook: 'https://x.example', secret_env: 'UNSET' }] } },
    /alerts\.a\.to\.0\.secret_env in .*: expected UNSET to be set/,
  ],
  [{ a: { query: 'x', to: [], threshold: 0 } }, /alerts\.a\.threshold in /],
  [{ a: { query: 'word', on: 'task', to: [] } }, /alerts\.a\.query in .*of a task/],
] as const) {
  test(`a server does not start with the alerts ${JSON.stringify(alerts)}`, async (t) => {
    const at = await configured(t, alerts);
    const { code, stderr } = await start(t, at, ['serve', '--port', '0']).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, fault);
  });
}
