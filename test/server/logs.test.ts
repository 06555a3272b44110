import assert from 'node:assert/strict';
import test from 'node:test';
import { served } from '../support/served.ts';

const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'];

function mixed(n: number): object {
  return {
    level: LEVELS[1 + (n % 3)],
    source: n % 2 ? 'git' : 'system',
    stream: n % 4 === 0 ? 'stderr' : n % 4 === 1 ? 'stdout' : null,
    type: n % 5 === 0 ? 'output' : 'log',
    timestamp: `2026-01-24T10:00:${String(n).padStart(2, '0')}.000Z`,
  };
}

async function seqs(
  json: (method: string, path: string) => Promise<{ status: number; body: { logs: { seq: number }[] } }>,
  query: string,
) {
  const { status, body } = await json('GET', `/api/tasks/t/logs?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.logs.map((entry) => entry.seq);
}

test('the answer has exactly the fields of the contract', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('task-1.2', 3, mixed);
  const { headers, body } = await json('GET', '/api/tasks/task-1.2/logs?limit=1');
  assert.match(headers.get('content-type') ?? '', /^application\/json/);
  assert.deepEqual(body, {
    task_id: 'task-1.2',
    logs: [
      {
        id: 'task-1.2:1',
        seq: 1,
        task_id: 'task-1.2',
        timestamp: '2026-01-24T10:00:01.000Z',
        level: 'WARNING',
        source: 'git',
        stream: 'stdout',
        type: 'log',
        message: 'line 1',
        metadata: null,
      },
    ],
    offset: 0,
    limit: 1,
    total: 3,
    total_exact: true,
    has_more: true,
    last_seq: 3,
  });
});

test('every filter and cursor narrows the lines', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 12, mixed);
  assert.deepEqual(await seqs(json, 'level=error'), [2, 5, 8, 11]);
  assert.deepEqual(await seqs(json, 'level=error,info&limit=3'), [2, 3, 5]);
  assert.deepEqual(await seqs(json, 'level=ERROR&level=info&limit=3'), [2, 3, 5]);
  assert.deepEqual(await seqs(json, 'min_level=warning&limit=3'), [1, 2, 4]);
  assert.deepEqual(await seqs(json, 'source=git&limit=2'), [1, 3]);
  assert.deepEqual(await seqs(json, 'source=git&source=system&limit=2'), [1, 2]);
  assert.deepEqual(await seqs(json, 'stream=stderr'), [4, 8, 12]);
  assert.deepEqual(await seqs(json, 'type=output'), [5, 10]);
  assert.deepEqual(await seqs(json, 'search=LINE%201'), [1, 10, 11, 12]);
  assert.deepEqual(await seqs(json, 'search=ne%201.%24&regex=true'), [10, 11, 12]);
  assert.deepEqual(await seqs(json, 'from=2026-01-24T10:00:03Z&to=2026-01-24T10:00:05Z'), [3, 4]);
  assert.deepEqual(await seqs(json, 'offset=2&limit=2'), [3, 4]);
  assert.deepEqual(await seqs(json, 'after=4&limit=2'), [5, 6]);
  assert.deepEqual(await seqs(json, 'before=4'), [1, 2, 3]);
  assert.deepEqual(await seqs(json, 'after=2&before=5'), [3, 4]);
  assert.deepEqual(await seqs(json, 'before=5&order=desc&limit=2'), [4, 3]);
  assert.deepEqual(await seqs(json, 'order=desc&limit=2'), [12, 11]);
  assert.deepEqual(await seqs(json, 'limit=0'), []);
  assert.deepEqual(await seqs(json, 'level=&search=&limit=1'), [1]);
});

test('total counts what the filters match, and cursors do not change it', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 12, mixed);
  const facts = async (query: string) => {
    const { total, total_exact, has_more, last_seq } = (await json('GET', `/api/tasks/t/logs?${query}`)).body;
    return [total, total_exact, has_more, last_seq];
  };
  assert.deepEqual(await facts('limit=5'), [12, true, true, 12]);
  assert.deepEqual(await facts('after=10'), [12, true, false, 12]);
  assert.deepEqual(await facts('level=error&after=5&limit=1'), [4, true, true, 12]);
  assert.deepEqual(await facts('level=error&limit=4'), [4, true, false, 12]);
  assert.deepEqual(await facts('search=line&limit=0'), [12, true, true, 12]);
  assert.deepEqual(await facts('search=line&limit=2&count=none'), [3, false, true, 12]);
  assert.deepEqual(await facts('search=line&limit=2&count=exact'), [12, true, true, 12]);
  assert.deepEqual(await facts('offset=100'), [12, true, false, 12]);
});

test('a bad value is 400 and names its parameter; an unknown one names the nearest known', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 1);
  for (const [query, path] of [
    ['limit=10001', 'limit'],
    ['limit=-2', 'limit'],
    ['limit=ten', 'limit'],
    ['offset=-1', 'offset'],
    ['after=x', 'after'],
    ['before=1e3', 'before'],
    ['order=up', 'order'],
    ['count=maybe', 'count'],
    ['follow=perhaps', 'follow'],
    ['level=loud', 'level'],
    ['min_level=loud', 'min_level'],
    [`source=${'x'.repeat(65)}`, 'source'],
    ['stream=stdin', 'stream'],
    ['type=poem', 'type'],
    ['search=%28&regex=true', 'search'],
    [`search=${'x'.repeat(1_001)}`, 'search'],
    ['from=yesterday', 'from'],
    ['to=2026-02-31', 'to'],
  ]) {
    const { status, body } = await json('GET', `/api/tasks/t/logs?${query}`);
    assert.equal(status, 400, query);
    assert.match(body.code, /^(invalid_(filter|parameter)|query_too_long)$/);
    assert.equal(body.errors[0].path, path, query);
    assert.ok(body.detail.includes(path ?? ''), query);
  }
  const unknown = await json('GET', '/api/tasks/t/logs?lvel=info');
  assert.deepEqual([unknown.status, unknown.body.code], [400, 'unknown_parameter']);
  assert.match(unknown.body.detail, /lvel: .*did you mean level\?/);
  assert.equal((await json('GET', '/api/tasks/t/logs?tail=5')).status, 400);
});

test('below /tasks a process line bears its stream; below /api it does not', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 4, mixed);
  const messages = async (base: string) =>
    (await json('GET', `${base}/t/logs`)).body.logs.map((entry: { message: string }) => entry.message);
  assert.deepEqual(await messages('/tasks'), ['[stdout] line 1', 'line 2', 'line 3', '[stderr] line 4']);
  assert.deepEqual(await messages('/api/tasks'), ['line 1', 'line 2', 'line 3', 'line 4']);
});

test('limit=-1 streams every line, more than one read of the store holds', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 12_345, () => ({ metadata: { pad: 'x'.repeat(100) } }));
  const { body } = await json('GET', '/api/tasks/t/logs?limit=-1');
  assert.equal(body.logs.length, 12_345);
  assert.ok(body.logs.every((entry: { seq: number }, i: number) => entry.seq === i + 1));
  assert.deepEqual([body.limit, body.total, body.has_more, body.last_seq], [-1, 12_345, false, 12_345]);
});

test('a reader who goes away in the middle of a stream stops the reading', async (t) => {
  const { url, taskWith, store } = await served(t);
  await taskWith('t', 60_000, () => ({ metadata: { pad: 'x'.repeat(1_000) } }));
  let reads = 0;
  const read = store.read.bind(store);
  t.mock.method(store, 'read', (...args: Parameters<typeof read>) => {
    reads += 1;
    return read(...args);
  });
  const response = await fetch(`${url}/api/tasks/t/logs?limit=-1`);
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  const { json } = { json: async () => (await fetch(`${url}/health`)).json() };
  await json();
  const soFar = reads;
  for (let i = 0; i < 20; i++) await json();
  assert.ok(reads - soFar <= 1, `${reads - soFar} reads after the reader had gone`);
  assert.ok(reads < 12, `${reads} of 12 pages were read for a reader who took one chunk`);
});

test('the polling example of the mission gathers every line once', async (t) => {
  const { url, taskWith, intake } = await served(t);
  await taskWith('task-1737737400.123', 120, () => ({ stream: 'stdout' }));
  const shown: string[] = [];
  let offset = 0;
  for (let round = 0; ; round++) {
    const response = await fetch(`${url}/tasks/task-1737737400.123/logs?offset=${offset}&limit=50`);
    const data = (await response.json()) as { logs: { timestamp: string; message: string }[] };
    for (const log of data.logs) shown.push(log.message);
    offset += data.logs.length;
    const statusResponse = await fetch(`${url}/tasks/task-1737737400.123/status`);
    const statusData = (await statusResponse.json()) as { status: string };
    if (['completed', 'failed'].includes(statusData.status)) break;
    if (round === 2) await intake.changeTask('task-1737737400.123', { status: 'completed' });
  }
  assert.deepEqual(
    shown,
    Array.from({ length: 120 }, (_, i) => `[stdout] line ${i + 1}`),
  );
});

test('stats, sources and histogram answer the shapes of the contract', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 12, mixed);
  assert.deepEqual((await json('GET', '/api/tasks/t/logs/stats')).body, {
    total: 12,
    by_level: { DEBUG: 0, INFO: 4, WARNING: 4, ERROR: 4 },
    by_source: { git: 6, system: 6 },
    by_stream: { stdout: 3, stderr: 3, none: 6 },
    by_type: { log: 10, output: 2 },
    first_timestamp: '2026-01-24T10:00:01.000Z',
    last_timestamp: '2026-01-24T10:00:12.000Z',
    lost: 0,
  });
  assert.deepEqual((await json('GET', '/api/tasks/t/logs/sources')).body, ['git', 'system']);
  const { body } = await json('GET', '/api/tasks/t/logs/histogram?buckets=4&level=error');
  assert.ok(body.buckets.length <= 4);
  assert.equal(
    body.buckets.reduce((sum: number, bucket: { total: number }) => sum + bucket.total, 0),
    4,
  );
  assert.ok(body.buckets.every((bucket: { by_level: { INFO: number } }) => bucket.by_level.INFO === 0));
  for (const buckets of ['0', '501', 'x']) {
    assert.equal((await json('GET', `/api/tasks/t/logs/histogram?buckets=${buckets}`)).body.errors[0].path, 'buckets');
  }
});

test('a page is compressed for those who ask', async (t) => {
  const { call, taskWith } = await served(t);
  await taskWith('t', 100);
  const packed = await call('GET', '/api/tasks/t/logs', undefined, { 'accept-encoding': 'gzip' });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.equal(((await packed.json()) as { logs: unknown[] }).logs.length, 100);
});
