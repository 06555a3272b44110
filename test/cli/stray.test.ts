import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTrail } from '../../src/trail/open.ts';
import { place, reach, serve } from './cli.ts';

const PLUGINS = `export default [
  { id: 'forgets', name: 'Forgets', async execute(_params, _context) {
    Promise.reject(new Error('forgotten promise'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    return 'went on';
  } },
  { id: 'throws', name: 'Throws', async execute(_params, _context) {
    setTimeout(() => { throw new Error('out of nowhere'); }, 10);
    await new Promise(() => {});
  } },
];`;

async function run(url: string, plugin: string): Promise<string> {
  const response = await fetch(`${url}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ plugin }),
  });
  return ((await response.json()) as { task_id: string }).task_id;
}

test('a promise that a plugin forgot costs a line; an exception out of nowhere an orderly stop that says why', async (t) => {
  const at = await place(t);
  await writeFile(join(at.cwd, 'plugins.mjs'), PLUGINS);
  await writeFile(join(at.cwd, 'tasktrail.config.json'), JSON.stringify({ plugins: ['./plugins.mjs'] }));
  const server = await serve(t, at);
  const trail = await reach(t, server.url);
  const forgets = await run(server.url, 'forgets');
  await Array.fromAsync(trail.follow(forgets));
  assert.equal((await trail.get(forgets)).result, 'went on');
  const throws = await run(server.url, 'throws');
  const ended = await server.ended;
  assert.equal(ended.code, 1, ended.stderr);
  const log = await readFile(join(at.dataDir, 'server.log'), 'utf8');
  assert.match(log, /a promise was rejected.*|forgotten promise/);
  assert.match(log, /out of nowhere/);
  assert.match(log, /"msg":"stopped"/);
  const left = await openTrail({ dataDir: at.dataDir });
  t.after(() => left.close());
  const task = await left.get(throws);
  assert.deepEqual([task.status, task.error], ['failed', 'server stopped']);
});

test("the server's own tokens are masked in every trail", async (t) => {
  const at = await place(t, { TASKTRAIL_TOKENS: 'admin:supersecrettoken12345' });
  const server = await serve(t, at);
  const trail = await reach(t, server.url, 'supersecrettoken12345');
  const { taskId } = await trail.create({ title: 'prints supersecrettoken12345' });
  const { token } = JSON.parse(await readFile(join(at.dataDir, 'owner.json'), 'utf8')) as { token: string };
  // The whole setting is a secret of the environment, and so is each of its tokens.
  const printed = ['TASKTRAIL_TOKENS=admin:supersecrettoken12345', 'admin supersecrettoken12345', token];
  await trail.append(
    taskId,
    printed.map((message) => ({ message })),
  );
  const { logs } = await trail.logs(taskId);
  assert.deepEqual(
    logs.map(({ message }) => message),
    ['TASKTRAIL_TOKENS=[redacted:registered]', 'admin [redacted:registered]', '[redacted:registered]'],
  );
  assert.equal((await trail.get(taskId)).title, 'prints [redacted:registered]');
});
