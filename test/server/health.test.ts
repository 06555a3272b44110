import assert from 'node:assert/strict';
import test from 'node:test';
import { served } from '../support/served.ts';

test('health and readiness answer the shape of the contract, 503 when the store cannot commit', async (t) => {
  let healthy = true;
  let nowMs = 1_000;
  const { json } = await served(t, {
    version: '1.2.3',
    clock: { now: () => nowMs },
    health: () => ({ healthy, store: 'sqlite', redis: null }),
  });
  nowMs += 2_500;
  const shape = { service: 'tasktrail', store: 'sqlite', redis: null, uptime_seconds: 2.5, version: '1.2.3' };
  for (const path of ['/health', '/ready/']) {
    healthy = true;
    const well = await json('GET', path);
    assert.deepEqual([well.status, well.body], [200, { status: 'healthy', ...shape }]);
    healthy = false;
    const ill = await json('GET', path);
    assert.deepEqual([ill.status, ill.body], [503, { status: 'unhealthy', ...shape }]);
  }
});

test('which versions run is told to those who may read', async (t) => {
  const { json, call } = await served(t, { version: '1.2.3', settings: { tokens: [{ role: 'reader', token: 'r' }] } });
  assert.equal((await call('GET', '/api/about')).status, 401);
  const { status, body } = await json('GET', '/api/about', undefined, { authorization: 'Bearer r' });
  const { version, node, sqlite } = body;
  assert.deepEqual([status, version, node, sqlite], [200, '1.2.3', process.versions.node, process.versions.sqlite]);
});

test('metrics tell of events of other systems where they are taken in, and nothing waits in an empty queue', async (t) => {
  const eventFigures = async () => ({ pending: 3, lag: 4, dead: 5, processed: 6, lost: null });
  const { json } = await served(t, { eventFigures });
  const { body } = await json('GET', '/metrics', undefined, { accept: 'application/json' });
  const { queue_depth, queue_lag, pending, stream_lag, dead, events_processed_total, events_lost_total } = body;
  const events = [pending, stream_lag, dead, events_processed_total, events_lost_total];
  assert.deepEqual([queue_depth, queue_lag, ...events], [0, 0, 3, 4, 5, 6, null]);
});

test('metrics are Prometheus text by default and JSON for those who ask', async (t) => {
  const { call, json, taskWith, intake } = await served(t);
  await taskWith('a', 0);
  await intake.append({ taskId: 'a', body: '{"message":"gap","metadata":{"tasktrail_lost":7}}', format: 'ndjson' });
  await taskWith('b', 0);
  await json('POST', '/api/tasks', { status: 'queued' });
  await json('POST', '/api/tasks/a/logs', [{ message: 'x' }, { message: 'y' }, { message: 'z', level: 'debug' }]);
  await json('POST', '/api/tasks/b/complete');
  const { body } = await json('GET', '/metrics', undefined, { accept: 'application/json' });
  const { uptime_seconds, queue_lag, ...figures } = body;
  assert.ok(uptime_seconds >= 0);
  assert.ok(queue_lag > 0 && queue_lag < 60, 'the age of the oldest queued task');
  assert.deepEqual(figures, {
    queue_depth: 1,
    pending: null,
    dead: null,
    stream_lag: null,
    events_processed_total: null,
    events_lost_total: null,
    tasks_processed: 1,
    tasks_by_status: { executing: 1, queued: 1, completed: 1 },
    entries_total: 3,
    filtered_total: 1,
    directory_failures_total: null,
    redactions_total: {},
    lost_total: 7,
  });
  const plain = await call('GET', '/metrics');
  assert.match(plain.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const text = await plain.text();
  for (const line of [
    '# TYPE tasktrail_entries_total counter',
    'tasktrail_entries_total 3',
    'tasktrail_lost_total 7',
    'tasktrail_queue_depth 1',
    'tasktrail_tasks{status="completed"} 1',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  }
  assert.match(text, /^(#.*|\w+(\{[^}]*\})? [\d.]+)(\n(#.*|\w+(\{[^}]*\})? [\d.]+))*\n$/);
});
