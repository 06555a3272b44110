import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { served } from '../support/served.ts';

const PATHS = ['metadata', 'input', 'webhook-flow', 'agent-output', 'user-inputs', 'final-result'];
const NDJSON = { accept: 'application/x-ndjson' };
const LINES = [
  { type: 'webhook', message: 'received', metadata: { stage: 'received', event_type: 'issue_comment.created' } },
  { type: 'webhook', message: 'task_created', metadata: { command: 'review' } },
  { type: 'output', message: '[SYSTEM] Task started' },
  { type: 'tool_call', message: 'Read a.ts', metadata: { tool: 'Read', args: { path: 'a.ts' } }, stream: 'stdout' },
  { type: 'user_input', message: 'the second one', metadata: { question_type: 'choice' } },
  { message: 'done', level: 'WARNING', source: 'git' },
];

/** A server with one task that has every part. */
async function withWhole(t: TestContext) {
  const server = await served(t);
  const { json } = server;
  await json('POST', '/api/tasks', {
    task_id: 'whole',
    source: 'webhook',
    provider: 'github',
    assigned_agent: 'brain',
    input: { message: 'review it', source_metadata: { repo: 'owner/repo', issue_number: 42 } },
    metadata: { plan: 'look first' },
  });
  await json('POST', '/api/tasks/whole/logs', LINES);
  const ending = { result: 'fine', exit_code: 0, metrics: { cost_usd: 0.5, input_tokens: 10 } };
  await json('POST', '/api/tasks/whole/complete', ending);
  return { ...server, part: (path: string) => json('GET', `/api/tasks/whole/logs/${path}`) };
}

test('metadata tells what is known of the task, and its own metadata beside it', async (t) => {
  const { part, json } = await withWhole(t);
  const { status, headers, body } = await part('metadata');
  assert.deepEqual([status, headers.get('content-type')], [200, 'application/json; charset=utf-8']);
  const { task_id, source, provider, assigned_agent, plan } = body;
  assert.deepEqual([task_id, source, provider, assigned_agent], ['whole', 'webhook', 'github', 'brain']);
  assert.deepEqual([body.status, plan], ['completed', 'look first']);
  await json('POST', '/api/tasks', { task_id: 'at-work' });
  assert.equal((await json('GET', '/api/tasks/at-work/logs/metadata')).body.status, 'running');
});

test('input is the message with what its source said', async (t) => {
  const { part } = await withWhole(t);
  const source_metadata = { repo: 'owner/repo', issue_number: 42 };
  assert.deepEqual((await part('input')).body, { message: 'review it', source_metadata });
});

test('each line is in the flow of its type, in order, with its seq', async (t) => {
  const { part } = await withWhole(t);
  const flow = (await part('webhook-flow')).body;
  assert.deepEqual(
    flow.map(({ seq, stage }: { seq: number; stage: string }) => [seq, stage]),
    [
      [1, 'received'],
      [2, 'task_created'],
    ],
  );
  assert.deepEqual([flow[0].event_type, flow[1].command], ['issue_comment.created', 'review']);
  const output = (await part('agent-output')).body;
  assert.deepEqual(
    output.map(({ seq, type, content }: Record<string, unknown>) => [seq, type, content]),
    [
      [3, 'output', '[SYSTEM] Task started'],
      [4, 'tool_call', 'Read a.ts'],
      [6, 'log', 'done'],
    ],
  );
  const { tool, args, stream } = output[1];
  assert.deepEqual([tool, args, stream], ['Read', { path: 'a.ts' }, 'stdout']);
  assert.deepEqual([output[2].level, output[2].source], ['WARNING', 'git']);
  const [answer, ...more] = (await part('user-inputs')).body;
  assert.deepEqual([answer.seq, answer.type, answer.question_type], [5, 'user_response', 'choice']);
  assert.deepEqual([answer.content, more], ['the second one', []]);
});

test('final-result tells how it ended, with every figure', async (t) => {
  const { part, json } = await withWhole(t);
  const { success, status, result, error, exit_code, metrics } = (await part('final-result')).body;
  assert.deepEqual([success, status, result, error, exit_code], [true, 'completed', 'fine', null, 0]);
  const { cost_usd, input_tokens, output_tokens } = metrics;
  assert.deepEqual([cost_usd, input_tokens, output_tokens], [0.5, 10, null]);
  await json('POST', '/api/tasks', { task_id: 'bad' });
  await json('POST', '/api/tasks/bad/fail', { error: 'no luck' });
  const failed = (await json('GET', '/api/tasks/bad/logs/final-result')).body;
  assert.deepEqual([failed.success, failed.error], [false, 'no luck']);
});

test('full is all parts together, each as it is alone', async (t) => {
  const { part } = await withWhole(t);
  const alone = await Promise.all(PATHS.map(async (path) => [path.replace('-', '_'), (await part(path)).body]));
  const full = (await part('full')).body;
  assert.deepEqual(
    Object.keys(full),
    PATHS.map((path) => path.replace('-', '_')),
  );
  assert.deepEqual(full, Object.fromEntries(alone));
});

test('a part that the task does not have is 404, and full leaves it out', async (t) => {
  const { json } = await served(t);
  await json('POST', '/api/tasks', { task_id: 'new', status: 'queued' });
  for (const path of PATHS.slice(1)) {
    const { status, headers, body } = await json('GET', `/api/tasks/new/logs/${path}`);
    assert.deepEqual([status, body.code], [404, 'not_found'], path);
    assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
    assert.match(body.detail, new RegExp(path));
  }
  const { status, body } = await json('GET', '/api/tasks/new/logs/full');
  assert.deepEqual([status, Object.keys(body)], [200, ['metadata']]);
  await json('POST', '/api/tasks/new/logs', { message: 'one' });
  assert.equal((await json('GET', '/api/tasks/new/logs/agent-output')).body.length, 1);
  const { body: more } = await json('GET', '/api/tasks/new/logs/full');
  assert.deepEqual(Object.keys(more), ['metadata', 'agent_output']);
});

test('a flow is NDJSON for who accepts it, and a flow without lines is 404 there too', async (t) => {
  const { call, part, json } = await withWhole(t);
  for (const path of ['webhook-flow', 'agent-output', 'user-inputs']) {
    const answer = await call('GET', `/api/tasks/whole/logs/${path}`, undefined, NDJSON);
    assert.equal(answer.headers.get('content-type'), 'application/x-ndjson; charset=utf-8');
    const text = await answer.text();
    assert.ok(text.endsWith('}\n'));
    const lines = text.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      (await part(path)).body,
    );
  }
  await json('POST', '/api/tasks', { task_id: 'new' });
  assert.equal((await json('GET', '/api/tasks/new/logs/agent-output', undefined, NDJSON)).status, 404);
  const metadata = await call('GET', '/api/tasks/whole/logs/metadata', undefined, NDJSON);
  assert.match(metadata.headers.get('content-type') ?? '', /^application\/json/);
});

test('an unknown task is 404, a deleted one 410, a wrong id 400, for every part', async (t) => {
  const { json } = await withWhole(t);
  await json('DELETE', '/api/tasks/whole');
  for (const path of [...PATHS, 'full']) {
    const codes = [
      await json('GET', `/api/tasks/nobody/logs/${path}`),
      await json('GET', `/api/tasks/whole/logs/${path}`),
      await json('GET', `/api/tasks/-no/logs/${path}`),
    ].map(({ status, body }) => [status, body.code]);
    const expected = [
      [404, 'task_not_found'],
      [410, 'task_deleted'],
      [400, 'invalid_task_id'],
    ];
    assert.deepEqual(codes, expected, path);
  }
});

test('the parts answer below /tasks as well, without marks before the lines, and with a slash at the end', async (t) => {
  const { part, json } = await withWhole(t);
  for (const path of [...PATHS, 'full']) {
    const { body } = await part(path);
    assert.deepEqual((await json('GET', `/tasks/whole/logs/${path}`)).body, body, path);
    assert.deepEqual((await json('GET', `/api/tasks/whole/logs/${path}/`)).body, body, path);
  }
});

test('a part that nobody knows is 404, and a parameter or method that is not offered is refused', async (t) => {
  const { part, json } = await withWhole(t);
  assert.deepEqual([(await part('thoughts')).status, (await part('thoughts')).body.code], [404, 'not_found']);
  assert.equal((await part('agent-output?level=error')).body.code, 'unknown_parameter');
  assert.equal((await json('POST', '/api/tasks/whole/logs/metadata', {})).status, 405);
});

test('who has no token gets no part, and a reader gets them all', async (t) => {
  const { json } = await served(t, { settings: { tokens: [{ role: 'reader', token: 'read-me' }] } });
  const authorization = { authorization: 'Bearer read-me' };
  for (const path of PATHS) {
    assert.equal((await json('GET', `/api/tasks/t/logs/${path}`)).status, 401);
    assert.equal((await json('GET', `/api/tasks/t/logs/${path}`, undefined, authorization)).status, 404);
  }
});

test('what the lines and fields say arrives as it was, whatever it is', async (t) => {
  const { json, taskWith } = await served(t);
  const odd = ['', 'a\nb', '"quoted" \\ back', '\u2028 \u0000 \u{1f600}', '</script>', '__proto__'];
  await taskWith('odd', odd.length, (n) => ({ message: odd[n - 1], metadata: JSON.parse('{"__proto__":{"x":1}}') }));
  const { body } = await json('GET', '/api/tasks/odd/logs/agent-output');
  assert.deepEqual(
    body.map(({ content }: { content: string }) => content),
    odd,
  );
  assert.deepEqual(Object.keys(body[0].metadata), ['__proto__']);
});

test('a flow longer than a page of the store is whole, and full streams it too', async (t) => {
  const { json, taskWith } = await served(t);
  const count = 12_345;
  await taskWith('long', count, (n) => ({ type: n % 3 === 0 ? 'webhook' : 'output' }));
  const { agent_output: output, webhook_flow: flow } = (await json('GET', '/api/tasks/long/logs/full')).body;
  assert.equal(output.length + flow.length, count);
  assert.deepEqual(
    [...output, ...flow].map(({ seq }: { seq: number }) => seq).sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i + 1),
  );
});

test('lines that come while a flow is read are not in it', async (t) => {
  const { call, taskWith, intake, store } = await served(t);
  const count = 6_000;
  await taskWith('grows', count);
  const read = store.read.bind(store);
  let grown = false;
  store.read = async (taskId, query) => {
    const page = await read(taskId, query);
    if (!grown) await intake.append({ taskId, body: '{"message":"late"}', format: 'ndjson' });
    grown = true;
    return page;
  };
  const lines = (await (await call('GET', '/tasks/grows/logs/agent-output')).json()) as object[];
  assert.deepEqual([grown, lines.length], [true, count]);
});

test('a reader who does not read holds the server to a few pages, and gets the rest when it reads on', async (t) => {
  const { port, call, taskWith, store } = await served(t);
  const total = 30_000;
  await taskWith('big', total, () => ({ message: 'x'.repeat(2_000) }));
  const read = store.read.bind(store);
  let reads = 0;
  store.read = (taskId, query) => {
    reads += 1;
    return read(taskId, query);
  };
  const path = '/api/tasks/big/logs/agent-output';
  const slow = connect(port, '127.0.0.1');
  slow.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  const [first] = (await once(slow, 'data')) as [Buffer];
  slow.pause();
  // Another reader is served to the end meanwhile: without back-pressure the first one would come as far.
  await (await call('GET', path)).text();
  const whole = reads;
  await (await call('GET', path)).text();
  const pages = reads - whole;
  assert.ok(pages > 25, `${pages} pages`);
  assert.ok(whole - pages < pages / 2, `${whole - pages} of ${pages} pages were read for nobody`);
  let lines = 0;
  let tail = '';
  const count = (chunk: Buffer): void => {
    const text = tail + chunk.toString('latin1');
    lines += text.split('"seq":').length - 1;
    tail = text.slice(1 - '"seq":'.length);
  };
  count(first);
  for await (const chunk of slow) count(chunk as Buffer);
  assert.equal(lines, total);
});
