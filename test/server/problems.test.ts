import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { BODY_BYTES, JSON_DEPTH } from '../../src/core/limits.ts';
import { served } from '../support/served.ts';

test('every failure is a problem of RFC 9457 with the id of its request', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 1);
  for (const [method, path, status, code, body, headers] of [
    ['GET', '/nowhere', 404, 'not_found'],
    ['GET', '/api/nowhere/', 404, 'not_found'],
    ['POST', '/webhooks', 404, 'not_found', {}],
    ['PUT', '/api/tasks/t', 405, 'method_not_allowed', {}],
    ['DELETE', '/health', 405, 'method_not_allowed'],
    ['POST', '/tasks/t/logs/stats/', 405, 'method_not_allowed'],
    ['GET', '/api/tasks/%E0%A4%A', 400, 'invalid_request'],
    ['GET', '/api/tasks?limit=x', 400, 'invalid_parameter'],
    ['GET', '/api/tasks?nope=1', 400, 'unknown_parameter'],
    ['POST', '/api/tasks', 400, 'invalid_json', '{"title": "x",}'],
    ['POST', '/api/tasks', 400, 'nested_too_deep', `${'['.repeat(JSON_DEPTH + 1)}${']'.repeat(JSON_DEPTH + 1)}`],
    ['POST', '/api/tasks', 400, 'invalid_json', '['.repeat(1_000_000)],
    [
      'POST',
      '/api/tasks',
      415,
      'unsupported_media_type',
      'title=x',
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['POST', '/api/tasks', 415, 'unsupported_media_type', 'x', { 'content-type': 'text/plain' }],
    ['POST', '/api/tasks', 413, 'body_too_large', ' '.repeat(BODY_BYTES + 1)],
    ['GET', '/api/tasks/nobody', 404, 'task_not_found'],
  ] as [string, string, number, string, unknown?, Record<string, string>?][]) {
    const answer = await json(method, path, body, headers);
    const named = `${method} ${path}`;
    assert.equal(answer.status, status, `${named} ${JSON.stringify(answer.body)}`);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, named);
    assert.equal(answer.body.status, status, named);
    assert.equal(answer.body.code, code, named);
    assert.equal(answer.body.type, `urn:tasktrail:error:${code}`, named);
    assert.match(answer.body.title, /^[A-Z]/, named);
    assert.ok(answer.body.detail.length > 10, named);
    assert.match(answer.body.request_id, /^[0-9a-f-]{36}$/, named);
  }
});

test('a query parameter that a route does not have is refused, also where it has none', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 1);
  for (const [method, path, body] of [
    ['POST', '/api/tasks', {}],
    ['GET', '/api/tasks'],
    ['GET', '/api/tasks/facets'],
    ['GET', '/api/tasks/t'],
    ['PATCH', '/api/tasks/t', {}],
    ['DELETE', '/api/tasks/t'],
    ['GET', '/api/tasks/t/status'],
    ['POST', '/api/tasks/t/complete'],
    ['POST', '/api/tasks/t/logs', { message: 'x' }],
    ['POST', '/api/tasks/t/partial', { stream: 'stdout', text: 'x' }],
    ['GET', '/api/tasks/t/logs'],
    ['GET', '/api/tasks/t/logs/stats'],
    ['GET', '/api/tasks/t/logs/sources'],
    ['GET', '/api/tasks/t/logs/histogram'],
    ['GET', '/api/tasks/t/logs/download'],
    ['GET', '/health'],
    ['GET', '/metrics'],
  ] as [string, string, unknown?][]) {
    const { status, body: problem } = await json(method, `${path}?bogus=1`, body);
    assert.deepEqual(
      [status, problem.code, problem.errors[0].path],
      [400, 'unknown_parameter', 'bogus'],
      `${method} ${path}`,
    );
  }
  assert.deepEqual((await json('GET', '/api/tasks/t')).body.log.total, 1);
});

test('a wrong method is told the right ones', async (t) => {
  const { call } = await served(t);
  const refused = await call('PUT', '/api/tasks/some.id/');
  assert.equal(refused.status, 405);
  assert.equal(refused.headers.get('allow'), 'DELETE, GET, HEAD, PATCH');
});

test('a fault of ours tells the caller nothing of what is inside', async (t) => {
  const health = () => Promise.reject(new Error('cannot open /home/someone/data/trail.db'));
  const { json } = await served(t, { health });
  const { status, body } = await json('GET', '/health');
  assert.deepEqual([status, body.code], [500, 'internal']);
  assert.doesNotMatch(JSON.stringify(body), /home|trail\.db|Error|at /);
  assert.ok(body.detail.includes('request_id'));
});

test('a store that is closed is 503 with Retry-After', async (t) => {
  const { json, store, intake } = await served(t);
  await store.close();
  const read = await json('GET', '/api/tasks');
  assert.deepEqual([read.status, read.body.code, read.headers.get('retry-after')], [503, 'store_closed', '1']);
  await intake.close();
  const write = await json('POST', '/api/tasks', {});
  assert.deepEqual([write.status, write.body.code], [503, 'store_closed']);
});

test('what is no HTTP at all gets a problem, too', async (t) => {
  const { port } = await served(t);
  for (const [sent, status] of [
    ['NONSENSE\r\n\r\n', '400'],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, '431'],
  ] as const) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(sent);
    const answer = await text(socket);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
    assert.match(answer, /Content-Type: application\/problem\+json/);
    assert.match(answer, /"code":"/);
  }
});
