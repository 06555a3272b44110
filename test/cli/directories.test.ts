import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeDirectories } from '../../src/trail/directories.ts';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';
import { place, reach, serve, tasktrail } from './cli.ts';

test('a server writes the directory of each task below its data directory', async (t) => {
  const at = await place(t);
  const { url, child, ended } = await serve(t, at);
  const trail = await reach(t, url);
  const task = await trail.task({ taskId: 'task-1', input: { message: 'x' } });
  task.logger.info('one');
  await task.complete('done');
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  assert.deepEqual(await readdir(join(at.dataDir, 'tasks')), ['task-1']);
  const [line] = (await readFile(join(at.dataDir, 'tasks', 'task-1', '03-agent-output.jsonl'), 'utf8')).split('\n');
  assert.equal(JSON.parse(line ?? '').content, 'one');
});

test('TASK_LOGS_DIR says where, TASK_LOGS_ENABLED whether', async (t) => {
  for (const enabled of ['true', 'false']) {
    const at = await place(t, { TASK_LOGS_DIR: 'elsewhere', TASK_LOGS_ENABLED: enabled });
    const { url, child, ended } = await serve(t, at);
    await (await reach(t, url)).create({ taskId: 'task-1' });
    child.kill('SIGTERM');
    await ended;
    assert.equal(existsSync(join(at.cwd, 'elsewhere', 'task-1', 'metadata.json')), enabled === 'true');
    assert.equal(existsSync(join(at.dataDir, 'tasks')), false);
  }
});

test('a server catches up with what programs wrote while there was none', async (t) => {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  await trail.create({ taskId: 'task-1' });
  await trail.append('task-1', { message: 'one' });
  await trail.close();
  assert.equal(existsSync(join(at.dataDir, 'tasks')), false);
  const { child, ended } = await serve(t, at);
  const file = join(at.dataDir, 'tasks', 'task-1', '03-agent-output.jsonl');
  while (!existsSync(file)) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGTERM');
  await ended;
  assert.equal((await tasktrail(t, at, 'check')).stdout, '1 tasks checked: 0 faults\n');
});

test('a server whose directories cannot be written says so once and serves on', async (t) => {
  const at = await place(t, { TASK_LOGS_DIR: 'elsewhere' });
  await writeFile(join(at.cwd, 'elsewhere'), 'a file in the way');
  const { url, seen } = await serve(t, at);
  const trail = await reach(t, url);
  await trail.create({ taskId: 'task-1' });
  await trail.append('task-1', { message: 'one' });
  const printed = await seen('cannot be written');
  assert.match(printed, /elsewhere/);
  assert.equal((await trail.get('task-1')).log.total, 1);
});

test('failures are counted for those who ask, while the store goes on', async (t) => {
  const dataDir = await scratch(t);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const dir = join(dataDir, 'tasks');
  await mkdir(dir);
  await writeFile(join(dir, 'task-1'), 'in the way');
  const warned = Promise.withResolvers<string>();
  const directories = writeDirectories({ dataDir, dir, warn: warned.resolve });
  t.after(() => directories.close());
  assert.equal(directories.failures, 0);
  await trail.create({ taskId: 'task-1' });
  assert.match(await warned.promise, /task-1/);
  assert.ok(directories.failures > 0);
});
