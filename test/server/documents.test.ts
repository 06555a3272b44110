import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { Compile } from 'typebox/compile';
import { scratch } from '../support/scratch.ts';
import { served } from '../support/served.ts';

test('the API is described as OpenAPI 3.1, and what it answers is what it describes', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 5, (n) => ({ metadata: { n }, stream: 'stdout' }));
  await taskWith('whole', 4, (n) => ({ type: ['webhook', 'tool_call', 'user_input', 'log'][n - 1] }));
  await json('POST', '/api/tasks/whole/complete', { result: 'done' });
  const { body: api } = await json('GET', '/openapi.json');
  assert.match(api.openapi, /^3\.1\./);
  assert.ok(Object.keys(api.paths).every((path) => !path.startsWith('/tasks') && !path.startsWith('/docs')));
  const asked: [string, string, string, unknown?][] = [
    ['post', '/api/tasks', '/api/tasks', { input: 'x', metrics: { num_turns: 1 }, result: [1] }],
    ['get', '/api/tasks', '/api/tasks'],
    ['get', '/api/tasks/facets', '/api/tasks/facets'],
    ['get', '/api/tasks/{task_id}', '/api/tasks/t'],
    ['patch', '/api/tasks/{task_id}', '/api/tasks/t', { tags: ['x'] }],
    ['get', '/api/tasks/{task_id}/status', '/api/tasks/t/status'],
    ['post', '/api/tasks/{task_id}/heartbeat', '/api/tasks/t/heartbeat'],
    ['post', '/api/tasks/{task_id}/logs', '/api/tasks/t/logs', { message: 'x', level: 'debug' }],
    ['get', '/api/tasks/{task_id}/logs', '/api/tasks/t/logs?limit=2'],
    ['get', '/api/tasks/{task_id}/logs/stats', '/api/tasks/t/logs/stats'],
    ['get', '/api/tasks/{task_id}/logs/sources', '/api/tasks/t/logs/sources'],
    ['get', '/api/tasks/{task_id}/logs/histogram', '/api/tasks/t/logs/histogram'],
    ['get', '/api/tasks/{task_id}/logs/facets', '/api/tasks/t/logs/facets?source=system'],
    ['get', '/api/logs/search', '/api/logs/search?q=line&context=1&facets=true'],
    ['get', '/api/logs/search', '/api/logs/search?q=line&group=task&limit=2'],
    ['get', '/api/logs/search/facets', '/api/logs/search/facets?q=line'],
    ['get', '/api/logs/search/histogram', '/api/logs/search/histogram?q=line'],
    ['get', '/api/logs/search', '/api/logs/search?limit=x'],
    ['post', '/api/tasks/{task_id}/complete', '/api/tasks/t/complete', { metrics: { cost_usd: 1 } }],
    ...['metadata', 'input', 'webhook-flow', 'agent-output', 'user-inputs', 'final-result', 'full'].map(
      (part): [string, string, string] => ['get', `/api/tasks/{task_id}/logs/${part}`, `/api/tasks/whole/logs/${part}`],
    ),
    ['get', '/api/settings/logging', '/api/settings/logging'],
    ['patch', '/api/settings/logging', '/api/settings/logging', { level: 'warn', enable_belief_state: null }],
    ['get', '/health', '/health'],
    ['get', '/api/tasks/{task_id}', '/api/tasks/nobody'],
  ];
  for (const [method, described, path, body] of asked) {
    const answer = await json(method.toUpperCase(), path, body);
    const { responses } = api.paths[described][method];
    const { content } = responses[answer.status] ?? responses.default;
    const { schema } = Object.values(content as Record<string, { schema: object }>)[0] ?? { schema: {} };
    const wrong = Compile(schema as never).Errors(answer.body);
    assert.deepEqual(wrong, [], `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.ok(Object.keys(schema).length > 0);
  }
});

test('Swagger UI and ReDoc are served with scripts of our own files only', async (t) => {
  const dir = await scratch(t);
  const redocFile = join(dir, 'redoc.js');
  await writeFile(redocFile, 'window.Redoc = {};');
  const { call } = await served(t, { redocFile });
  for (const path of ['/docs', '/docs/', '/redoc', '/redoc/']) {
    const page = await call('GET', path);
    assert.equal(page.status, 200, path);
    const html = await page.text();
    const scripts = [...html.matchAll(/<script([^>]*)>([^<]*)</g)];
    assert.ok(scripts.length >= 2, path);
    for (const [, attributes, inline] of scripts) {
      assert.equal(inline?.trim(), '', path);
      const base = /<base href="([^"]*)"/.exec(html)?.[1] ?? '';
      const source = /src="([^"]*)"/.exec(attributes ?? '')?.[1] ?? '';
      const resolved = new URL(source, new URL(base, new URL(path, page.url)));
      const script = await call('GET', resolved.pathname);
      assert.equal(script.status, 200, resolved.pathname);
      assert.match(script.headers.get('content-type') ?? '', /javascript/);
    }
  }
  assert.equal((await call('GET', '/docs/json')).status, 200);
});

test('the page answers at its places and never shadows the API', async (t) => {
  const webDir = await scratch(t);
  await mkdir(join(webDir, 'assets'));
  await writeFile(join(webDir, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(webDir, 'assets', 'app-1a2b.js'), 'console.log(1)');
  const { call } = await served(t, { webDir });
  for (const path of ['/', '/t/task-1.2', '/t/task-1.2/', '/search', '/costs', '/settings']) {
    const page = await call('GET', path);
    assert.deepEqual([page.status, await page.text()], [200, '<!doctype html><title>page</title>'], path);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    assert.equal(page.headers.get('cache-control'), 'no-cache');
  }
  const script = await call('GET', '/assets/app-1a2b.js');
  assert.equal(script.status, 200);
  assert.match(script.headers.get('cache-control') ?? '', /immutable/);
  const moved = await call('GET', '/admin/settings');
  assert.deepEqual([moved.status, moved.headers.get('location')], [302, '/settings#logging']);
  assert.match((await call('GET', '/tasks')).headers.get('content-type') ?? '', /json/);
  for (const path of ['/assets/../../etc/passwd', '/assets/%2e%2e/%2e%2e/etc/passwd', '/assets/none.js', '/t']) {
    assert.equal((await call('GET', path)).status, 404, path);
  }
});

test('without a built page the start says how to get one', async (t) => {
  const { call } = await served(t);
  const hint = await call('GET', '/');
  assert.match(hint.headers.get('content-type') ?? '', /^text\/plain/);
  assert.match(await hint.text(), /npm run build[\s\S]*\/api\/tasks/);
});
