import assert from 'node:assert/strict';
import test from 'node:test';
import { served } from '../support/served.ts';

test('a task is made with what was said of it, and with every field of the contract', async (t) => {
  const { json } = await served(t);
  const made = await json('POST', '/api/tasks', {
    task_id: 'task-1737737400.123',
    kind: 'review',
    title: 'Look at it',
    source: 'github',
    assigned_agent: 'default',
    agent_type: 'planning',
    model: 'opus',
    user_id: 'ada',
    machine_id: 'm1',
    owner: 'team',
    tags: ['a', 'b'],
    pinned: true,
    params: { depth: { __proto__: null, n: 1 } },
    input: 'please',
    metadata: { plan: 'do it' },
    metrics: { cost_usd: 0.5 },
  });
  assert.equal(made.status, 201);
  const { created_at, started_at, updated_at, ...rest } = made.body;
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(started_at, created_at);
  assert.equal(updated_at, created_at);
  assert.deepEqual(rest, {
    task_id: 'task-1737737400.123',
    kind: 'review',
    title: 'Look at it',
    status: 'executing',
    ended: false,
    source: 'github',
    provider: 'github',
    assigned_agent: 'default',
    agent_type: 'planning',
    model: 'opus',
    user_id: 'ada',
    machine_id: 'm1',
    owner: 'team',
    tags: ['a', 'b'],
    pinned: true,
    runner: null,
    priority: 0,
    completed_at: null,
    params: { depth: { n: 1 } },
    input: { message: 'please' },
    metadata: { plan: 'do it' },
    metrics: {
      cost_usd: 0.5,
      input_tokens: null,
      output_tokens: null,
      cache_read_tokens: null,
      cache_creation_tokens: null,
      duration_seconds: null,
      num_turns: null,
    },
    result: null,
    error: null,
    exit_code: null,
    log: { total: 0, last_seq: 0, lost: 0, by_level: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 }, last_line: null },
  });
  assert.deepEqual((await json('GET', '/api/tasks/task-1737737400.123')).body, made.body);
});

test('every task route answers below /api/tasks and /tasks, with and without a trailing slash, without a redirect', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('a.b:c', 1);
  for (const base of ['/api/tasks', '/tasks']) {
    for (const path of [
      '',
      '/facets',
      '/a.b:c',
      '/a.b:c/status',
      '/a.b:c/logs',
      '/a.b:c/logs/stats',
      '/a.b:c/logs/sources',
    ]) {
      for (const slash of ['', '/']) {
        assert.equal((await json('GET', `${base}${path}${slash}`)).status, 200, `${base}${path}${slash}`);
      }
    }
    assert.equal((await json('POST', `${base}/`, {})).status, 201);
    assert.equal((await json('POST', `${base}/a.b:c/heartbeat/`)).status, 200);
    assert.equal((await json('GET', `${base}/a%2Eb%3Ac`)).body.task_id, 'a.b:c');
  }
});

test('an id is made when absent, and refused when it is not one', async (t) => {
  const { json } = await served(t);
  for (const body of [{}, undefined]) {
    assert.match((await json('POST', '/api/tasks', body)).body.task_id, /^task-[0-9A-HJKMNP-TV-Z]{26}$/);
  }
  for (const id of ['', '.hidden', '../x', 'a/b', 'a b', 'ä', 'x'.repeat(129), 5, null]) {
    const refused = await json('POST', '/api/tasks', { task_id: id });
    assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_task_id'], String(id));
  }
  for (const id of ['.x', 'a%2Fb', '%00', 'x'.repeat(129), 'x'.repeat(2_000)]) {
    for (const path of ['', '/status', '/logs', '/logs/stats', '/logs/download']) {
      const refused = await json('GET', `/api/tasks/${id}${path}`);
      assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_task_id'], `${id}${path}`);
    }
  }
  assert.equal((await json('POST', '/api/tasks', { task_id: 'x'.repeat(128) })).status, 201);
});

test('a known id is refused with 409 and an unknown one answers 404 everywhere', async (t) => {
  const { json } = await served(t);
  await json('POST', '/api/tasks', { task_id: 'once' });
  const again = await json('POST', '/api/tasks', { task_id: 'once' });
  assert.deepEqual([again.status, again.body.code], [409, 'task_exists']);
  const asked: [string, string, unknown?][] = [
    ['GET', ''],
    ['PATCH', '', { title: 'x' }],
    ['DELETE', ''],
    ['GET', '/status'],
    ['GET', '/logs'],
    ['GET', '/logs?follow=true'],
    ['GET', '/logs/stats'],
    ['GET', '/logs/sources'],
    ['GET', '/logs/histogram'],
    ['GET', '/logs/download'],
    ['POST', '/logs', { message: 'x' }],
    ['POST', '/partial', { stream: 'stdout', text: 'x' }],
    ['POST', '/complete'],
    ['POST', '/rerun'],
    ['POST', '/heartbeat'],
    ['POST', '/input', { message: 'x' }],
  ];
  for (const [method, path, body] of asked) {
    const { status, body: problem } = await json(method, `/api/tasks/nobody${path}`, body);
    assert.deepEqual([status, problem.code], [404, 'task_not_found'], `${method} ${path}`);
  }
});

test('a status is read in any case and by its older names; another is named as invalid', async (t) => {
  const { json } = await served(t);
  for (const [given, kept] of [
    ['Running', 'executing'],
    ['PENDING', 'queued'],
    ['success', 'completed'],
    ['waiting_input', 'awaiting_input'],
  ]) {
    assert.equal((await json('POST', '/api/tasks', { status: given })).body.status, kept);
  }
  assert.equal((await json('GET', '/tasks?status=PENDING')).body.total, 1);
  assert.equal((await json('GET', '/tasks?status=pending,success&status=running')).body.total, 3);
  for (const refused of [
    await json('POST', '/api/tasks', { status: 'sleeping' }),
    await json('GET', '/tasks?status=sleeping'),
  ]) {
    assert.equal(refused.status, 400);
    assert.equal(refused.body.code, 'invalid_status');
    assert.equal(refused.body.detail, 'Invalid status: sleeping');
  }
});

test('a plugin or agent that nobody registered is refused by its name', async (t) => {
  const { json } = await served(t);
  for (const field of ['plugin', 'agent']) {
    const { status, body } = await json('POST', '/api/tasks', { [field]: 'backup' });
    assert.equal(status, 400);
    assert.equal(body.code, `unknown_${field}`);
    assert.match(body.detail, new RegExp(`${field}: .*registered.*got "backup"`));
  }
  assert.equal((await json('GET', '/api/tasks')).body.total, 0);
});

test('a wrong task names each field that is wrong, and nothing is stored', async (t) => {
  const { json } = await served(t);
  const { status, body } = await json('POST', '/api/tasks', { title: 5, tags: 'x', pinned: 'yes' });
  assert.equal(status, 400);
  assert.equal(body.code, 'invalid_task');
  assert.deepEqual(body.errors.map((fault: { path: string }) => fault.path).sort(), ['pinned', 'tags', 'title']);
  const unknown = await json('POST', '/api/tasks', { titel: 'x' });
  assert.deepEqual([unknown.status, unknown.body.code], [400, 'invalid_task']);
  assert.match(unknown.body.detail, /titel.*did you mean title/);
  for (const wrong of [
    { input: { text: 'x' } },
    { input: 5 },
    { source: 'a,b' },
    { params: [1] },
    { created_at: 'yesterday' },
    { metrics: { cost_usd: -1 } },
    { title: 'x'.repeat(1_001) },
  ]) {
    const refused = await json('POST', '/api/tasks', wrong);
    assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_task'], JSON.stringify(wrong).slice(0, 50));
  }
  for (const body of ['[]', '5', '"x"', 'null'])
    assert.equal((await json('POST', '/api/tasks', body)).status, 400, body);
  assert.equal((await json('GET', '/api/tasks')).body.total, 0);
});

test('what users keep under the name __proto__ stays data', async (t) => {
  const { call, json } = await served(t);
  const body = '{"task_id":"p","metadata":{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}}';
  assert.equal((await call('POST', '/api/tasks', body)).status, 201);
  const text = await (await call('GET', '/api/tasks/p')).text();
  assert.ok(text.includes('"metadata":{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}}}'), text);
  const line = '{"message":"m","metadata":{"__proto__":{"admin":true}}}';
  assert.equal((await json('POST', '/api/tasks/p/logs', line)).status, 200);
  const lines = await (await call('GET', '/tasks/p/logs')).text();
  assert.ok(lines.includes('"metadata":{"__proto__":{"admin":true}}'), lines);
  assert.equal(({} as { admin?: boolean }).admin, undefined);
});

test('tasks are listed page by page, filtered and sorted', async (t) => {
  const { json } = await served(t);
  for (let n = 1; n <= 5; n++) {
    await json('POST', '/api/tasks', {
      task_id: `t${n}`,
      kind: n % 2 ? 'odd' : 'even',
      title: `Title ${n}`,
      tags: ['x'],
    });
  }
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await json('GET', `/api/tasks?limit=2&sort=title&order=asc&cursor=${cursor}`);
    assert.equal(body.total, 5);
    assert.equal(body.total_exact, true);
    seen.push(...body.tasks.map((task: { task_id: string }) => task.task_id));
    cursor = body.next_cursor;
  }
  assert.deepEqual(seen, ['t1', 't2', 't3', 't4', 't5']);
  assert.equal((await json('GET', '/api/tasks?kind=odd')).body.total, 3);
  assert.equal((await json('GET', '/api/tasks?q=TITLE%204')).body.total, 1);
  assert.equal((await json('GET', '/api/tasks?to=2020-01-01')).body.total, 0);
  const facets = await json('GET', '/api/tasks/facets?kind=odd');
  assert.deepEqual(facets.body, {
    status: { executing: 3 },
    source: { api: 3 },
    kind: { odd: 3 },
    agent: {},
    tag: { x: 3 },
  });
});

test('a wrong or unknown parameter of the list is named', async (t) => {
  const { json } = await served(t);
  for (const [query, code, path] of [
    ['limit=0', 'invalid_parameter', 'limit'],
    ['limit=1001', 'invalid_parameter', 'limit'],
    ['limit=1.5', 'invalid_parameter', 'limit'],
    ['limit=1&limit=2', 'invalid_parameter', 'limit'],
    ['sort=colour', 'invalid_parameter', 'sort'],
    ['order=up', 'invalid_parameter', 'order'],
    ['from=yesterday', 'invalid_parameter', 'from'],
    ['min_cost=cheap', 'invalid_parameter', 'min_cost'],
    ['statsu=failed', 'unknown_parameter', 'statsu'],
  ]) {
    const { status, body } = await json('GET', `/api/tasks?${query}`);
    assert.deepEqual([status, body.code, body.errors[0].path], [400, code, path], query);
  }
  assert.match((await json('GET', '/api/tasks?statsu=failed')).body.detail, /did you mean status\?/);
  assert.equal((await json('GET', '/api/tasks?cursor=nonsense')).body.code, 'invalid_cursor');
  assert.equal((await json('GET', '/api/tasks?status=&limit=&q=')).status, 200);
});

test('title, tags, pin and owner can be changed, and nothing else', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const { status, body } = await json('PATCH', '/api/tasks/t', {
    title: 'New',
    tags: ['z'],
    pinned: true,
    owner: null,
  });
  assert.equal(status, 200);
  assert.deepEqual([body.title, body.tags, body.pinned, body.owner], ['New', ['z'], true, null]);
  const refused = await json('PATCH', '/api/tasks/t', { status: 'completed' });
  assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_task']);
  assert.equal((await json('GET', '/api/tasks/t')).body.status, 'executing');
});

test('a running task is deleted only by force; its id then answers 410', async (t) => {
  const { json, call, taskWith } = await served(t);
  await taskWith('t', 3);
  const refused = await json('DELETE', '/api/tasks/t');
  assert.deepEqual([refused.status, refused.body.code], [409, 'task_running']);
  assert.equal((await call('DELETE', '/api/tasks/t?force=true')).status, 204);
  for (const path of ['', '/status', '/logs', '/logs/stats']) {
    const gone = await json('GET', `/api/tasks/t${path}`);
    assert.deepEqual([gone.status, gone.body.code], [410, 'task_deleted'], path);
  }
  assert.equal((await json('POST', '/api/tasks', { task_id: 't' })).body.code, 'task_deleted');
  await taskWith('ended', 0);
  await json('POST', '/api/tasks/ended/complete');
  assert.equal((await call('DELETE', '/tasks/ended/')).status, 204);
});

test('the status route answers the shape that the mission asks for', async (t) => {
  const { json } = await served(t);
  const made = await json('POST', '/api/tasks', {
    task_id: 't',
    status: 'discovering',
    metadata: { plan: 'P', queue: 'Q' },
  });
  assert.deepEqual((await json('GET', '/tasks/t/status')).body, {
    task_id: 't',
    status: 'discovering',
    ended: false,
    metadata: { status: 'discovering', updated_at: made.body.updated_at, plan: 'P', queue: 'Q' },
  });
  await json('POST', '/api/tasks', { task_id: 'bare' });
  const { metadata } = (await json('GET', '/tasks/bare/status')).body;
  assert.deepEqual([metadata.plan, metadata.queue], [null, null]);
});
