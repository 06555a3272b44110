import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { place, reach, serve, tasktrail } from './cli.ts';

test('serve prints where it is and what to try, and stops at SIGTERM with everything committed', async (t) => {
  const at = await place(t);
  const server = await serve(t, at);
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const trail = await reach(t, server.url);
  const task = await trail.task({ title: 'kept' });
  task.logger.info('one');
  await task.logger.flush();
  server.child.kill('SIGTERM');
  const { code, stdout } = await server.ended;
  assert.equal(code, 0);
  assert.match(stdout, /try: npx tasktrail run/);
  assert.equal(existsSync(join(at.dataDir, 'owner.json')), false);
  assert.match((await tasktrail(t, at, 'logs', task.id)).stdout, /\[system\] one$/m);
});

test('the data directory is for its owner only and never part of a repository', async (t) => {
  const at = await place(t);
  await serve(t, at);
  assert.equal((await stat(at.dataDir)).mode & 0o777, 0o700);
  assert.equal((await stat(join(at.dataDir, 'owner.json'))).mode & 0o777, 0o600);
  assert.equal(await readFile(join(at.dataDir, '.gitignore'), 'utf8'), '*\n');
});

test('a second server on the same directory is refused, by the name of the first', async (t) => {
  const at = await place(t);
  const first = await serve(t, at);
  const { code, stdout, stderr } = await tasktrail(t, at, 'serve', '--port', '0');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, new RegExp(`^tasktrail: the server ${first.url} \\(pid ${first.child.pid}\\) owns .*\\n$`));
});

test('a server that was killed does not block the next one', async (t) => {
  const at = await place(t);
  const first = await serve(t, at);
  first.child.kill('SIGKILL');
  await first.ended;
  const second = await serve(t, at);
  assert.equal((await (await reach(t, second.url)).tasks()).total, 0);
});

test('a taken port is told in one line', async (t) => {
  const at = await place(t);
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const { code, stderr } = await tasktrail(t, at, 'serve', '--port', String(port));
  assert.equal(code, 2);
  assert.equal(
    stderr,
    `tasktrail: 127.0.0.1:${port} is taken by another program; stop it, or choose another port with --port (0 takes a free one)\n`,
  );
});

test('anything but loopback is refused without tokens, before a directory is made', async (t) => {
  const at = await place(t);
  const { code, stderr } = await tasktrail(t, at, 'serve', '--host', '0.0.0.0', '--port', '0');
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^tasktrail: TASKTRAIL_HOST: 0\.0\.0\.0 can be reached from other machines; set TASKTRAIL_TOKENS/,
  );
  assert.equal(existsSync(at.dataDir), false);
});

test('with tokens strangers are refused, and commands beside the server get in by owner.json', async (t) => {
  const at = await place(t);
  const server = await serve(t, { ...at, env: { ...at.env, TASKTRAIL_TOKENS: 'reader:only-reading' } });
  await assert.rejects((await reach(t, server.url)).tasks(), { code: 'unauthorized' });
  const reader = await reach(t, server.url, 'only-reading');
  await assert.rejects(reader.create({}), { code: 'forbidden' });
  const { code, stdout } = await tasktrail(t, at, 'tasks', '--json');
  assert.deepEqual([code, stdout], [0, '']);
  assert.equal((await reader.tasks()).total, 0);
});

test('bad settings stop the start with one line and exit code 2, wherever they stand', async (t) => {
  const at = await place(t);
  const flag = await tasktrail(t, at, 'serve', '--flush-ms', '5000');
  assert.deepEqual(
    [flag.code, flag.stderr],
    [2, 'tasktrail: --flush-ms: expected a whole number, 0–2000; got "5000"\n'],
  );
  await writeFile(join(at.cwd, '.env'), 'TASKTRAIL_LOG_LEVEL=loud\n');
  const dotenv = await tasktrail(t, at, 'serve');
  assert.deepEqual([dotenv.code, dotenv.stderr.split('\n').length], [2, 2]);
  assert.match(dotenv.stderr, /TASKTRAIL_LOG_LEVEL in \.env: expected DEBUG, INFO, WARNING, ERROR; got "loud"/);
});

test('a second signal ends a server that is busy stopping', async (t) => {
  const at = await place(t);
  const server = await serve(t, at);
  // A follower that never reads keeps its connection open.
  const trail = await reach(t, server.url);
  const { taskId } = await trail.create({});
  const response = await fetch(`${server.url}/api/tasks/${taskId}/logs?follow=true`);
  server.child.kill('SIGINT');
  server.child.kill('SIGTERM');
  const { code } = await server.ended;
  assert.equal(code, 1);
  await response.body?.cancel().catch(() => {});
});
