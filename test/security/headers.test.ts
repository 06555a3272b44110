import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { scratch } from '../support/scratch.ts';
import { served } from '../support/served.ts';

/** What may be kept: the page and its files, and those of the document readers. None of them holds data. */
const KEPT = /^\/(?:$|assets\/|docs(?:\/|$)|redoc|search$|costs$|settings$|t\/|index\.html$)/;

async function whole(t: TestContext) {
  const webDir = await scratch(t);
  await mkdir(join(webDir, 'assets'));
  await writeFile(join(webDir, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(webDir, 'assets', 'app-1a2b.js'), 'console.log(1)');
  const redocFile = join(webDir, 'redoc.js');
  await writeFile(redocFile, 'console.log(2)');
  return served(t, { webDir, redocFile, settings: { allowedOrigins: ['https://ok.example'], headersMs: 100 } });
}

function directives(policy: string): Readonly<Record<string, string>> {
  return Object.fromEntries(policy.split(';').map((part) => part.trim().split(/ (.*)/s, 2) as [string, string]));
}

/** Nothing of an answer is run, framed, sniffed or told on. */
function holds(headers: Headers, named: string): void {
  const policy = directives(headers.get('content-security-policy') ?? '');
  assert.match(policy['default-src'] ?? '', /^'(?:self|none)'$/, named);
  const scripts = policy['script-src'] ?? policy['default-src'] ?? '';
  assert.doesNotMatch(scripts, /unsafe|\*|data:|https?:/, named);
  assert.equal(policy['frame-ancestors'], "'none'", named);
  assert.equal(headers.get('x-content-type-options'), 'nosniff', named);
  assert.equal(headers.get('referrer-policy'), 'no-referrer', named);
}

test('every route answers under a strict policy, and nothing that holds data is kept', async (t) => {
  const { call, server, taskWith } = await whole(t);
  const seen = new Set<number>();
  assert.ok(server.routes.length > 150);
  for (const { method, url } of server.routes) {
    await taskWith('t', 1).catch(() => {});
    const path = url.replace(':task_id', 't').replaceAll(/:\w+/g, 'nothing');
    const sendsBody = method === 'POST' || method === 'PUT' || method === 'PATCH';
    const answer = await call(method, path.replace('*', 'nothing'), sendsBody ? {} : undefined);
    await answer.arrayBuffer();
    const named = `${method} ${path} ${answer.status}`;
    seen.add(answer.status);
    holds(answer.headers, named);
    for (const name of ['cross-origin-opener-policy', 'cross-origin-resource-policy']) {
      assert.equal(answer.headers.get(name), 'same-origin', named);
    }
    assert.match(answer.headers.get('permissions-policy') ?? '', /camera=\(\)/, named);
    assert.equal(answer.headers.get('x-frame-options'), 'DENY', named);
    const keep = answer.headers.get('cache-control') ?? '';
    if (!KEPT.test(path)) assert.match(keep, /no-store/, named);
    assert.notEqual(keep, '', named);
  }
  for (const status of [200, 201, 204, 302, 400, 404]) assert.ok(seen.has(status), `no answer was ${status}`);
});

test('problems bear the same headers, also those that leave before any route is found', async (t) => {
  const { call, port, taskWith } = await whole(t);
  await taskWith('t', 1);
  for (const [method, path, status] of [
    ['GET', '/nowhere', 404],
    ['PUT', '/api/tasks', 405],
    ['GET', '/api/tasks/%E0%A4%A', 400],
    ['GET', `/api/tasks?q=${'x'.repeat(13_000)}`, 414],
    ['GET', '/api/tasks?limit=x', 400],
  ] as const) {
    const answer = await call(method, path);
    assert.equal(answer.status, status, path);
    holds(answer.headers, path.slice(0, 60));
    assert.equal(answer.headers.get('cache-control'), 'no-store', path.slice(0, 60));
  }
  for (const sent of [
    'NONSENSE\r\n\r\n',
    `GET / HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\nX: y',
  ]) {
    const socket = connect(port, '127.0.0.1');
    socket.write(sent);
    holds(headersOf(await text(socket)), sent.slice(0, 20));
  }
});

test('streams bear the same headers', async (t) => {
  const { port, taskWith } = await whole(t);
  await taskWith('t', 1);
  for (const [path, accept] of [
    ['/api/tasks/t/logs?follow=true', 'text/event-stream'],
    ['/api/tasks/t/logs?follow=true', 'application/x-ndjson'],
    ['/api/logs/search?q=line', 'application/x-ndjson'],
  ] as const) {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n\r\n`);
    const [head] = await once(socket, 'data');
    const headers = headersOf(String(head));
    assert.match(headers.get('content-type') ?? '', new RegExp(accept));
    holds(headers, `${path} ${accept}`);
    assert.match(headers.get('cache-control') ?? '', /no-store/, path);
  }
});

test('the document readers run no script of the page, and may make styles', async (t) => {
  const { call } = await whole(t);
  for (const path of ['/docs/', '/redoc', '/redoc/']) {
    const answer = await call('GET', path);
    assert.equal(answer.status, 200, path);
    const policy = directives(answer.headers.get('content-security-policy') ?? '');
    assert.equal(policy['script-src'], "'self'", path);
    assert.equal(policy['object-src'], "'none'", path);
    assert.doesNotMatch(await answer.text(), /<script(?![^>]*\bsrc=)[^>]*>|\son\w+=/i, path);
  }
  const page = directives((await call('GET', '/')).headers.get('content-security-policy') ?? '');
  assert.deepEqual(
    [page['script-src'], page['style-src'], page['base-uri'], page['form-action']],
    ["'self'", undefined, "'none'", "'self'"],
  );
});

test('a download is a file with a harmless name, whatever its task is called', async (t) => {
  const { call, intake } = await served(t);
  for (const [taskId, title] of [
    ['a:b..c', '"; filename=evil.exe; x="'],
    ['con.html', '<script>alert(1)</script>'],
    ['A-very.long_name', '../../etc/passwd\r\nSet-Cookie: x=1'],
  ] as const) {
    await intake.createTask({ taskId, title });
    await intake.append({ taskId, body: '{"message":"<script>alert(1)</script>"}', format: 'json' });
    for (const [format, extension] of [
      ['text', 'log'],
      ['jsonl', 'jsonl'],
      ['csv', 'csv'],
    ] as const) {
      const answer = await call('GET', `/api/tasks/${taskId}/logs/download?format=${format}`);
      const name = taskId.replaceAll(':', '_');
      assert.equal(answer.headers.get('content-disposition'), `attachment; filename="${name}.${extension}"`);
      assert.doesNotMatch(answer.headers.get('content-type') ?? '', /html|xml|javascript/);
      assert.equal(answer.headers.get('set-cookie'), null);
      holds(answer.headers, `${taskId} ${format}`);
    }
  }
  for (const path of ['/api/analytics?format=csv', '/api/audit?format=csv', '/api/audit?format=jsonl']) {
    const answer = await call('GET', path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="[A-Za-z0-9._-]+"$/, path);
  }
});

function headersOf(answer: string): Headers {
  const [head = ''] = answer.split('\r\n\r\n', 1);
  return new Headers(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(/: ?(.*)/s, 2) as [string, string]),
  );
}
