import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { batchesIn, discard, readCall, refuse, Spool, type SpoolCall, spoolDirs } from '../../src/cli/spool.ts';
import { lockSpool } from '../../src/cli/spool-lock.ts';
import { scratch } from '../support/scratch.ts';

function call(key: string, body = '{"message":"one"}'): SpoolCall {
  return { call: 'append', taskId: 'task-1', key, body };
}

test('a kept call is read back as it was, in the order it was kept', async (t) => {
  const dataDir = await scratch(t);
  const spool = new Spool({ dataDir, to: 'local' });
  assert.ok(spool.add({ call: 'start', taskId: 'task-1', key: 'a', body: '{"taskId":"task-1"}' }));
  assert.ok(spool.add(call('b', '{"message":"one"}\n{"message":"two"}')));
  assert.deepEqual(spoolDirs(dataDir), [spool.dir]);
  assert.deepEqual(batchesIn(spool.dir).map(readCall), [
    { to: 'local', call: 'start', taskId: 'task-1', key: 'a', body: '{"taskId":"task-1"}' },
    { to: 'local', ...call('b', '{"message":"one"}\n{"message":"two"}') },
  ]);
});

test('what is kept is for its owner only and never part of a repository', async (t) => {
  const dataDir = join(await scratch(t), 'data');
  const spool = new Spool({ dataDir, to: 'local' });
  spool.add(call('a'));
  assert.equal((await stat(spool.dir)).mode & 0o777, 0o700);
  assert.equal((await stat(String(batchesIn(spool.dir)[0]))).mode & 0o777, 0o600);
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
  assert.ok(existsSync(join(dataDir, '.gitignore')));
});

test('a half-written file is no call', async (t) => {
  const dataDir = await scratch(t);
  const spool = new Spool({ dataDir, to: 'local' });
  spool.add(call('a'));
  await writeFile(join(spool.dir, '.00000002.batch.tmp'), '{"to":"local","call":"app');
  assert.equal(spool.count, 1);
  await writeFile(join(spool.dir, '00000003.batch'), '{"to":"local","call":"app');
  assert.equal(readCall(join(spool.dir, '00000003.batch')), undefined);
});

test('a full spool takes no more until something was delivered', async (t) => {
  const dataDir = await scratch(t);
  const spool = new Spool({ dataDir, to: 'local', maxBytes: 300 });
  assert.ok(spool.add(call('a', 'x'.repeat(150))));
  assert.equal(spool.add(call('b', 'x'.repeat(150))), false);
  discard(String(batchesIn(spool.dir)[0]));
  assert.ok(spool.add(call('c', 'x'.repeat(150))));
});

test('a spool that cannot be written says so instead of throwing', async (t) => {
  const file = join(await scratch(t), 'file');
  await writeFile(file, '');
  const spool = new Spool({ dataDir: join(file, 'data'), to: 'local' });
  assert.equal(spool.add(call('a')), false);
  assert.equal(spool.setAside(call('b')), undefined);
});

test('a refused call keeps its file and is not delivered again', async (t) => {
  const dataDir = await scratch(t);
  const spool = new Spool({ dataDir, to: 'local' });
  spool.add(call('a'));
  const refused = refuse(String(batchesIn(spool.dir)[0]));
  assert.ok(existsSync(refused));
  assert.equal(spool.count, 0);
  assert.deepEqual(spoolDirs(dataDir), []);
});

test('only one delivers from a directory, and an empty one is removed', async (t) => {
  const dataDir = await scratch(t);
  const spool = new Spool({ dataDir, to: 'local' });
  spool.add(call('a'));
  const unlock = lockSpool(spool.dir);
  assert.ok(unlock);
  assert.equal(lockSpool(spool.dir), undefined);
  discard(String(batchesIn(spool.dir)[0]));
  unlock();
  assert.equal(existsSync(spool.dir), false);
  assert.equal(lockSpool(spool.dir), undefined);
});

test('the run goes on writing after another process removed its empty directory', async (t) => {
  const dataDir = await scratch(t);
  const spool = new Spool({ dataDir, to: 'local' });
  spool.add(call('a'));
  const unlock = lockSpool(spool.dir);
  discard(String(batchesIn(spool.dir)[0]));
  unlock?.();
  assert.ok(spool.add(call('b')));
  assert.equal(readCall(String(batchesIn(spool.dir)[0]))?.key, 'b');
});

test('the lock of a living process is respected, that of a dead one is not', async (t) => {
  const dir = join(await scratch(t), 'run');
  await mkdir(dir);
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  await writeFile(join(dir, `lock-${child.pid}`), '');
  assert.equal(lockSpool(dir), undefined);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const unlock = lockSpool(dir);
  assert.ok(unlock);
  assert.deepEqual(await readdir(dir), [`lock-${process.pid}`]);
  unlock();
  assert.equal(existsSync(dir), false);
  assert.ok(existsSync(dirname(dir)));
});

test('a lock from an earlier process of the same pid is stale', { skip: process.platform !== 'linux' }, async (t) => {
  const dir = join(await scratch(t), 'run');
  await mkdir(dir);
  // Pid 1 lives, and did not start at this time.
  await writeFile(join(dir, 'lock-1'), '-1');
  assert.ok(lockSpool(dir));
});
