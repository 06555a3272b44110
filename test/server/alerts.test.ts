import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ALERTS } from '../../src/core/limits.ts';
import { answer, provider } from '../outlet/replies/support.ts';
import { type ServedOptions, served } from '../support/served.ts';

const TOKENS = (['reader', 'writer', 'admin'] as const).map((role) => ({ role, token: `${role}-token-1234567890` }));
const by = (role: string) => ({ authorization: `Bearer ${role}-token-1234567890` });

const rule = { id: 'many', name: 'Many errors', query: 'level:error', threshold: 3, to: [{ slack: '#ops' }] };

async function alerting(t: TestContext, options: ServedOptions = {}) {
  const server = await served(t, options);
  server.alerts.start();
  await server.alerts.settled();
  return server;
}

test('an alert is made with its defaults, listed, changed and deleted', async (t) => {
  const { json, call } = await alerting(t);
  const { status, body: made } = await json('POST', '/api/alerts', rule);
  assert.equal(status, 201, JSON.stringify(made));
  const { created_at, updated_at, ...rest } = made;
  assert.equal(created_at, updated_at);
  const state = { last_fired_at: null, fired: 0, count: 0, cool_down_until: null, last_fault: null, dropped: 0 };
  assert.deepEqual(rest, {
    ...{ ...rule, fixed: false, enabled: true, on: 'lines', window_seconds: 300, cool_down_seconds: 900 },
    ...{ severity: 'warning', state },
  });
  const { body: unnamed } = await json('POST', '/api/alerts', {
    name: 'x',
    query: 'status:failed',
    on: 'task',
    to: [],
  });
  assert.match(unnamed.id, /^alert-[0-9a-f]{12}$/);
  const { body: list } = await json('GET', '/api/alerts');
  assert.deepEqual([list.role, ...list.alerts.map(({ id }: { id: string }) => id)], ['admin', 'many', unnamed.id]);
  const { body: changed } = await json('PUT', '/api/alerts/many', { ...rule, enabled: false, threshold: 5 });
  assert.deepEqual([changed.enabled, changed.threshold, changed.created_at], [false, 5, created_at]);
  assert.deepEqual((await json('GET', '/api/alerts/many')).body, changed);
  assert.equal((await call('DELETE', '/api/alerts/many')).status, 204);
  for (const method of ['GET', 'DELETE']) {
    const { status, body } = await json(method, '/api/alerts/many');
    assert.deepEqual([status, body.code], [404, 'alert_not_found']);
  }
  assert.equal((await json('PUT', '/api/alerts/many', rule)).body.code, 'alert_not_found');
});

describe('what is wrong is named', () => {
  for (const [given, path, detail] of [
    [{ query: 'level:erro' }, 'query', /^column 7: /],
    [{ query: '/x(/' }, 'query', /^column 1: .*RE2/],
    [{ query: ' ' }, 'query', /got nothing/],
    [{ query: 'x after:-1h' }, 'query', /window_seconds/],
    [{ query: 'level:error', on: 'task' }, 'query', /^column 1: /],
    [{ query: 'word', on: 'task' }, 'query', /of a task/],
    [{ query: 'ghp_0123456789abcdefghijklmnopqrstuvwxyz' }, 'query', /secret/],
    [{ threshold: 0 }, 'threshold', /1/],
    [{ window_seconds: 86_401 }, 'window_seconds', /86400/],
    [{ cool_down_seconds: -1 }, 'cool_down_seconds', /0/],
    [{ severity: 'bad' }, 'severity', /info, warning, critical/],
    [{ to: [{ webhook: 'https://user:pass@x.example' }] }, 'to[0].webhook', /without a user/],
    [{ to: [{ webhook: 'http://' }] }, 'to[0].webhook', /^expected http:\/\/… or https:\/\/…$/],
    [{ to: [{ webhook: 'file:///etc/passwd' }] }, 'to[0].webhook', /^expected http:\/\/… or https:\/\/…$/],
    [{ to: [{ webhook: 'https://x.example', secret: 'short' }] }, 'to[0].secret', /^at least 8 characters$/],
    [{ to: [{ webhook: 'https://x.example', secret: 5 }] }, 'to[0].secret', /^expected string or null$/],
    [{ to: [{ slack: '#ops' }, { slack: 'a b' }] }, 'to[1].slack', /pattern/],
    [{ to: [{ slack: '#ops', also: 1 }] }, 'to[0].also', /^unknown field$/],
    [{ to: [{ secret: 'long enough' }] }, 'to[0]', /^expected slack or webhook$/],
    [{ to: ['#ops'] }, 'to[0]', /^expected object$/],
    ...['169.254.169.254', '0xa9fea9fe', '[fe80::1]', '[febf::1]', '[::ffff:169.254.1.1]'].map(
      (host) => [{ to: [{ webhook: `http://${host}/x` }] }, 'to[0].webhook', /link-local/] as const,
    ),
    [{ too: 1 }, 'too', /did you mean to\?/],
  ] as const) {
    test(JSON.stringify(given), async (t) => {
      const { json } = await served(t);
      const { status, body } = await json('POST', '/api/alerts', { ...rule, ...given });
      assert.deepEqual([status, body.code], [400, 'invalid_alert'], JSON.stringify(body));
      assert.deepEqual([body.errors.length, body.errors[0].path], [1, path], JSON.stringify(body.errors));
      assert.match(body.errors[0].detail, detail);
    });
  }

  test('an id that is taken, another id for the same alert, and one too many', async (t) => {
    const { json } = await served(t);
    await json('POST', '/api/alerts', rule);
    assert.equal((await json('POST', '/api/alerts', rule)).body.code, 'alert_exists');
    assert.equal((await json('PUT', '/api/alerts/many', { ...rule, id: 'few' })).body.code, 'invalid_alert');
    for (let n = 1; n < ALERTS; n++) await json('POST', '/api/alerts', { ...rule, id: `a${n}` });
    const { status, body } = await json('POST', '/api/alerts', { ...rule, id: 'more' });
    assert.deepEqual([status, body.code], [409, 'too_many_alerts']);
  });
});

test('a secret and the path of an address are shown to nobody who is not an admin, and the secret never again', async (t) => {
  const there = await provider(t);
  const { json, intake, taskWith } = await alerting(t, { settings: { tokens: TOKENS } });
  const secret = 'the secret of the receiver';
  const webhook = `${there.url}/services/T1/path-that-opens`;
  const body = { ...rule, threshold: 1, cool_down_seconds: 0, to: [{ webhook, secret }] };
  const made = await json('POST', '/api/alerts', body, by('admin'));
  assert.deepEqual(made.body.to, [{ webhook, secret_set: true }]);
  const { body: seen } = await json('GET', '/api/alerts', undefined, by('reader'));
  assert.deepEqual([seen.role, seen.alerts[0].to], ['reader', [{ webhook: there.url, secret_set: true }]]);
  assert.deepEqual((await json('GET', '/api/alerts/many', undefined, by('writer'))).body.to[0].webhook, there.url);
  assert.equal(intake.mask(`x ${secret}`), 'x [redacted:registered]');
  // It outlives a change that does not name it, and is used as it is although everything stored is masked.
  for (const to of [[{ webhook }], [{ webhook, secret: null }]]) {
    await json('PUT', '/api/alerts/many', { ...body, to }, by('admin'));
    const tested = await json('POST', '/api/alerts/many/test', undefined, by('admin'));
    assert.deepEqual(tested.body, { delivered: [{ target: there.url, ok: true, reason: null }] });
  }
  assert.match(String(there.heard[0]?.headers['x-tasktrail-signature']), /^sha256=[0-9a-f]{64}$/);
  assert.equal(there.heard[1]?.headers['x-tasktrail-signature'], undefined);
  await taskWith('task-a', 1, () => ({ level: 'ERROR' }));
  await there.asked(3);
  assert.equal(there.heard[2]?.path, '/services/T1/path-that-opens');
});

test('readers read and preview, admins change and test', async (t) => {
  const { json } = await served(t, { settings: { tokens: TOKENS } });
  await json('POST', '/api/alerts', rule, by('admin'));
  for (const role of ['reader', 'writer']) {
    const status = async (method: string, path: string, body?: unknown) =>
      (await json(method, path, body, by(role))).status;
    assert.equal(await status('GET', '/api/alerts'), 200);
    assert.equal(await status('GET', '/api/alerts/many'), 200);
    assert.equal(await status('POST', '/api/alerts/preview', { rule: { query: 'x' } }), 200);
    assert.equal(await status('POST', '/api/alerts', { ...rule, id: 'b' }), 403);
    assert.equal(await status('PUT', '/api/alerts/many', rule), 403);
    assert.equal(await status('DELETE', '/api/alerts/many'), 403);
    assert.equal(await status('POST', '/api/alerts/many/test'), 403);
  }
});

test('a test says what each target answered', async (t) => {
  const there = await provider(t, answer(404));
  const { json } = await served(t);
  await json('POST', '/api/alerts', { ...rule, to: [{ webhook: there.url }, { slack: '#ops' }] });
  const { status, body } = await json('POST', '/api/alerts/many/test', {});
  assert.equal(status, 200);
  assert.deepEqual(body.delivered, [
    { target: there.url, ok: false, reason: 'HTTP 404' },
    { target: 'Slack #ops', ok: false, reason: 'neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set' },
  ]);
  assert.equal(there.heard[0]?.body.test, true);
});

describe('a preview', () => {
  const START_MS = Date.parse('2026-01-24T10:00:00.000Z');
  const at = (seconds: number) => new Date(START_MS + seconds * 1000).toISOString();

  test('says when it would have fired, by the times of lines', async (t) => {
    const { json, taskWith } = await served(t, { clock: { now: () => START_MS + 86_400_000 } });
    // Three errors within a minute, three more while it would cool down, and three that are too far apart.
    const seconds = [0, 20, 40, 100, 110, 120, 4_000, 4_400, 4_800];
    await taskWith('task-a', 9, (n) => ({ level: 'ERROR', timestamp: at(seconds[n - 1] ?? 0) }));
    await taskWith('task-b', 3, (n) => ({ timestamp: at(n) }));
    const preview = async (given: object, rest: object = {}) =>
      (await json('POST', '/api/alerts/preview', { rule: { query: 'level:error', ...given }, ...rest })).body;
    const three = await preview({ threshold: 3 });
    assert.deepEqual(three, {
      ...{ fired: [{ at: at(40), count: 3 }], fired_total: 1, matches: 9, complete: true },
      ...{ from: at(-6 * 86_400).replace('.000Z', '.001Z'), to: at(86_400).replace('.000Z', '.001Z') },
    });
    const often = await preview({ threshold: 3, cool_down_seconds: 0 });
    assert.deepEqual(often.fired, [
      { at: at(40), count: 3 },
      { at: at(120), count: 3 },
    ]);
    const part = await preview({ cool_down_seconds: 0 }, { from: at(100), to: at(4_400) });
    assert.deepEqual([part.matches, part.fired_total, part.from], [4, 4, at(100)]);
    const bad = await json('POST', '/api/alerts/preview', { rule: { query: '(' }, from: 'x' });
    assert.equal(bad.body.code, 'invalid_alert');
  });

  test('shows the first hundred, and pages through all of them', async (t) => {
    const { json, taskWith } = await served(t);
    await taskWith('task-a', 2_500);
    const rule = { query: 'line', cool_down_seconds: 0 };
    const { body } = await json('POST', '/api/alerts/preview', { rule });
    assert.deepEqual([body.matches, body.fired_total, body.fired.length, body.complete], [2_500, 2_500, 100, true]);
  });

  test('of a rule about tasks goes by their ends', async (t) => {
    const { json, intake } = await served(t);
    for (const taskId of ['task-a', 'task-b', 'task-c']) {
      await intake.createTask({ taskId });
      if (taskId !== 'task-c') await intake.changeTask(taskId, { status: 'failed', error: 'x' });
    }
    const { body } = await json('POST', '/api/alerts/preview', {
      rule: { query: 'status:failed', on: 'task', cool_down_seconds: 0 },
    });
    assert.deepEqual([body.matches, body.fired_total], [2, 2]);
  });

  test('of a rule about tasks counts those whose moment lies within it, whenever they were made', async (t) => {
    const { json, intake } = await served(t, { clock: { now: () => START_MS + 86_400_000 } });
    const hour = (n: number | undefined) => (n === undefined ? null : at(n * 3_600));
    const made = (taskId: string, [created, started, completed]: readonly [number, number?, number?]) => {
      const status = completed !== undefined ? 'failed' : started !== undefined ? 'executing' : 'queued';
      const createdAt = at(created * 3_600);
      return intake.createTask({ taskId, status, createdAt, startedAt: hour(started), completedAt: hour(completed) });
    };
    await made('ended-before', [-9, -8, -1]);
    await made('ended-within', [-9, -8, 1]);
    await made('ended-after', [1, 2, 9]);
    await made('started-before', [-9, -8]);
    await made('started-within', [-9, 2]);
    await made('started-after', [1, 9]);
    await made('made-within', [3]);
    await made('made-after', [9]);
    const { body } = await json('POST', '/api/alerts/preview', {
      rule: { query: 'status:failed,executing,queued', on: 'task', cool_down_seconds: 0 },
      ...{ from: at(0), to: at(4 * 3_600) },
    });
    assert.deepEqual(
      body.fired.map((fired: { at: string }) => fired.at),
      [at(3_600), at(7_200), at(10_800)],
    );
    assert.deepEqual([body.matches, body.complete], [3, true]);
  });
});
